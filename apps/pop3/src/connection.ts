import { readFileSync } from 'node:fs';
import {
  type ConnectOptions,
  connectPop3,
  type Pop3Client,
  type Progress,
  type Timeouts,
  type TlsMode,
  type Trust,
} from '@pop3/client-node';
import type { ClientTrace } from '@pop3/core';
import type { Call } from './call.js';
import { EXIT, Failure } from './failure.js';
import { authOf } from './login.js';
import { parseServerAddress, type ServerAddress } from './server-address.js';
import { traceTo } from './trace.js';

const TLS_MODES: readonly TlsMode[] = ['implicit', 'starttls', 'opportunistic', 'off'];
const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
/** More cannot be meant, and does not fit into a timer of Node. */
const MAX_TIMEOUT_SECONDS = 86_400;

/** Some servers never answer QUIT. */
const GOODBYE_MS = 5_000;

/** What a command wants beside the flags. */
export interface Wishes {
  readonly onProgress?: (progress: Progress) => void;
  /** Told of the dialogue, beside `--trace`. */
  readonly onTrace?: (event: ClientTrace) => void;
}

/** Where the first operand leads. */
export function addressOf({ line }: Call): ServerAddress {
  return parseServerAddress(line.operands[0] ?? '');
}

/** Connects and logs in as the command line says. */
export async function openMaildrop(call: Call, wishes: Wishes = {}): Promise<Pop3Client> {
  const address = addressOf(call);
  const options = optionsOf(call, address, wishes);
  return connectPop3({ ...options, auth: await authOf(call, address) });
}

/** Connects, and does not log in. */
export async function openConnection(call: Call, wishes: Wishes = {}): Promise<Pop3Client> {
  return connectPop3(optionsOf(call, addressOf(call), wishes));
}

/** Says goodbye where nothing is to be deleted: whatever becomes of that, the work is done. */
export async function leave(client: Pop3Client): Promise<void> {
  await client.quit({ signal: AbortSignal.timeout(GOODBYE_MS) }).catch(() => {});
}

function optionsOf(call: Call, address: ServerAddress, { onProgress, onTrace }: Wishes): ConnectOptions {
  const { line, signal } = call;
  const { host, port } = address;
  const tls = tlsModeOf(call, address);
  const timeout = line.value('timeout');
  const shown = line.switch('trace') === true ? traceTo(call) : null;
  return {
    host,
    tls,
    signal,
    allowPlaintext: line.switch('allow-plaintext') ?? false,
    trust: trustOf(call),
    ...(port !== null && { port }),
    ...certificateOf(call),
    ...(timeout !== null && { timeouts: timeoutsOf(timeout) }),
    ...(onProgress !== undefined && { onProgress }),
    trace: (event) => {
      shown?.(event);
      onTrace?.(event);
    },
  };
}

/** What is said wins; port 110 has no TLS from the start. */
function tlsModeOf({ line }: Call, { tls, port }: ServerAddress): TlsMode {
  const said = line.value('tls');
  if (said === null) return tls ?? (port === 110 ? 'starttls' : 'implicit');
  const mode = TLS_MODES.find((known) => known === said);
  if (mode === undefined) throw wrong(`--tls ${said} is not known; known are ${TLS_MODES.join(', ')}`);
  if (tls === 'implicit' && mode !== tls)
    throw wrong(`pops:// is TLS from the start; leave out --tls ${said}`);
  return mode;
}

function trustOf({ line }: Call): Trust {
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

function certificateOf({ line }: Call): Pick<ConnectOptions, 'clientCertificate'> {
  const [cert, key] = [line.value('cert'), line.value('key')];
  if (cert === null && key === null) return {};
  if (cert === null || key === null) throw wrong('--cert and --key belong together: give both');
  return { clientCertificate: { cert: contentOf(cert, '--cert'), key: contentOf(key, '--key') } };
}

function timeoutsOf(text: string): Timeouts {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS)) {
    throw wrong(`--timeout ${text} is no number of seconds from 0 to ${MAX_TIMEOUT_SECONDS}`);
  }
  const ms = Math.ceil(seconds * 1000);
  return {
    connectMs: ms,
    tlsMs: ms,
    greetingMs: ms,
    loginMs: ms,
    commandMs: ms,
    quitMs: ms,
    silenceMs: ms,
  };
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
