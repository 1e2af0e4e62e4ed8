import { readFileSync } from 'node:fs';
import type { ConnectOptions, Trust } from '@pop3/client-node';
import type { CommandLine } from './command-line.js';
import { EXIT, Failure } from './failure.js';

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

/** Whom to believe. */
export function trustOf(line: CommandLine): Trust {
  const ca = line.value('ca');
  const fingerprint256 = line.values('fingerprint').map(fingerprintOf);
  const serverName = line.value('server-name');
  const minVersion = line.value('min-tls');
  return {
    ...(ca !== null && { ca: contentOf(ca, '--ca') }),
    ...(fingerprint256.length > 0 && { fingerprint256 }),
    ...(serverName !== null && { serverName }),
    ...(minVersion !== null && { minVersion: versionOf(minVersion) }),
  };
}

/** What we show where a server asks for a certificate. */
export function certificateOf(line: CommandLine): Pick<ConnectOptions, 'clientCertificate'> {
  const [cert, key] = [line.value('cert'), line.value('key')];
  if (cert === null && key === null) return {};
  if (cert === null || key === null) throw wrong('--cert and --key belong together: give both');
  return { clientCertificate: { cert: contentOf(cert, '--cert'), key: contentOf(key, '--key') } };
}

function versionOf(text: string): NonNullable<Trust['minVersion']> {
  const version = VERSIONS.find((known) => known === text);
  if (version !== undefined) return version;
  throw wrong(`--min-tls ${text} is not known; known are ${VERSIONS.join(', ')}`);
}

function fingerprintOf(text: string): string {
  if (/^(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}$/i.test(text)) return text;
  throw wrong(
    '--fingerprint is the SHA-256 of the certificate: 64 hexadecimal digits, with or without colons',
  );
}

function contentOf(file: string, flag: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Failure(EXIT.noInput, `${flag} ${file} cannot be read: ${(error as Error).message}`);
  }
}

function wrong(message: string): Failure {
  return new Failure(EXIT.usage, message);
}
