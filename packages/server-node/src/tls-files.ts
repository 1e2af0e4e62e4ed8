import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { dnsNamesOf } from './server-names.js';
import {
  type CertificateOptions,
  checkKeys,
  checkTicketKeys,
  ciphersOf,
  DEFAULT_MIN_VERSION,
  type TlsOptions,
  type TlsSource,
} from './tls.js';

/** Where a certificate and its key are. Passphrases are for the keys. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly passphrase?: string;
}

/** The files behind {@link TlsOptions}, and what else is in those. */
export interface TlsFiles
  extends CertificateFiles,
    Pick<TlsOptions, 'ciphers' | 'minVersion' | 'maxVersion'> {
  /** Further certificates, each for the DNS names in it. */
  readonly certificates?: readonly CertificateFiles[];
  /** Authorities of client certificates. */
  readonly ca?: string | readonly string[];
  /** A file of 48 random octets, for processes that resume each other's sessions. */
  readonly ticketKeys?: string;
  /** Milliseconds in which the files are looked at once at most. Default 1 second. */
  readonly checkEveryMs?: number;
  /** Milliseconds that only go forward. Default: the clock of the process. */
  readonly now?: () => number;
  /**
   * Told that the files cannot be used, once for each reason: one is missing, or a certificate and a key do not belong
   * together, as in the midst of a renewal. What was read before stays in use, and they are tried again. Must not throw.
   */
  onProblem?(error: Error): void;
  /** Told that what is in the files now is in use. Must not throw. */
  onReload?(): void;
}

const DEFAULT_CHECK_EVERY_MS = 1_000;

/**
 * Certificates that are read again when their files change: before a handshake the files are looked at, and read when
 * they are others than before. No session ends for it.
 *
 * @throws Error when the files cannot be used at first; it names the file.
 */
export function tlsFromFiles(files: TlsFiles): TlsSource {
  const { checkEveryMs = DEFAULT_CHECK_EVERY_MS, now = () => performance.now() } = files;
  const names = namesOf(files);
  let checkedAt = now();
  let state = stateOf(names);
  let current = read(files);
  let problem: string | null = null;

  function refresh(): void {
    try {
      // Before they are read: what changes meanwhile is found the next time.
      const found = stateOf(names);
      if (found === state && problem === null) return;
      const options = read(files);
      state = found;
      current = options;
      problem = null;
    } catch (error) {
      const { message } = error as Error;
      if (message !== problem) files.onProblem?.(error as Error);
      problem = message;
      return;
    }
    files.onReload?.();
  }

  return {
    current() {
      const time = now();
      if (time - checkedAt >= checkEveryMs) {
        checkedAt = time;
        refresh();
      }
      return current;
    },
  };
}

function namesOf({ cert, key, certificates = [], ca = [], ticketKeys }: TlsFiles): string[] {
  return [
    ...[{ cert, key }, ...certificates].flatMap((pair) => [pair.cert, pair.key]),
    ...[ca].flat(),
    ...(ticketKeys === undefined ? [] : [ticketKeys]),
  ];
}

/** What tells files from those of before: written to, replaced, or others by a link. */
function stateOf(names: readonly string[]): string {
  return names
    .map((name) => {
      const { dev, ino, size, mtimeNs, ctimeNs } = statSync(name, { bigint: true });
      return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
    })
    .join('\n');
}

function read(files: TlsFiles): TlsOptions {
  const { certificates, ca, ticketKeys, ciphers, minVersion, maxVersion } = files;
  const options: TlsOptions = {
    ...readPair(files),
    ...(certificates !== undefined && { certificates: certificates.map(readPair) }),
    ...(ca !== undefined && { ca: [ca].flat().map((name) => readFileSync(name)) }),
    ...(ticketKeys !== undefined && { ticketKeys: readFileSync(ticketKeys) }),
    ...(ciphers !== undefined && { ciphers }),
    ...(minVersion !== undefined && { minVersion }),
    ...(maxVersion !== undefined && { maxVersion }),
  };
  checkTicketKeys(options);
  check(files, options, options);
  certificates?.forEach((pair, i) => {
    check(pair, options.certificates?.[i] ?? options, options);
  });
  return options;
}

function readPair({ cert, key, passphrase }: CertificateFiles): CertificateOptions {
  return {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(passphrase !== undefined && { passphrase }),
  };
}

/** @throws Error that names the files when OpenSSL can do nothing with them. */
function check(
  files: CertificateFiles,
  { cert, key, passphrase }: CertificateOptions,
  options: TlsOptions,
): void {
  const { ca, minVersion = DEFAULT_MIN_VERSION } = options;
  try {
    createSecureContext({
      cert,
      key,
      ...(passphrase !== undefined && { passphrase }),
      ...(ca !== undefined && { ca }),
      ciphers: ciphersOf(minVersion, options.ciphers),
    });
    checkKeys({ cert, key, ...(passphrase !== undefined && { passphrase }) });
    dnsNamesOf(cert);
  } catch (error) {
    const message = `${files.cert} and ${files.key} cannot be used: ${(error as Error).message}`;
    throw new Error(message, { cause: error });
  }
}
