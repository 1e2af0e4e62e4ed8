import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { readAuthorities, readCertificate } from '../certificate-files.js';
import type { Conflict } from './conflicts.js';
import { certificatesOf } from './listeners.js';
import type { Config } from './schema.js';

/** Octets of the keys for session tickets, as TLS of Node takes them. */
const TICKET_KEY_OCTETS = 48;
/** What SHA-256 has; less could be guessed. */
const LEAST_SECRET_OCTETS = 32;

/** What is wrong with the files that a configuration names, beside users and mail. */
export function* conflictsOfFiles(config: Config): Generator<Conflict> {
  const { server, users, lookup, oauth } = config;
  for (const files of certificatesOf(config)) {
    const read = readCertificate(files);
    if ('message' in read) yield read;
  }
  if (server.tls_client_ca !== undefined) {
    const read = readAuthorities(['server', 'tls_client_ca'], server.tls_client_ca);
    if ('message' in read) yield read;
  }
  yield* conflictOfSecret(['server', 'tls_ticket_key_file'], server.tls_ticket_key_file, (octets, file) =>
    octets.length === TICKET_KEY_OCTETS
      ? null
      : `${file} has ${octets.length} octets, not ${TICKET_KEY_OCTETS}; make it: openssl rand -out ${file} ${TICKET_KEY_OCTETS}`,
  );
  yield* conflictOfSecret(['users', 'secret_file'], users.secret_file, (octets, file) =>
    octets.length >= LEAST_SECRET_OCTETS
      ? null
      : `${file} has ${octets.length} octets, and needs ${LEAST_SECRET_OCTETS} or more; make it: openssl rand -out ${file} ${LEAST_SECRET_OCTETS}`,
  );
  yield* conflictOfSecret(['lookup', 'authorization_file'], lookup.authorization_file, problemOfLine);
  yield* conflictOfSecret(['oauth', 'client_secret_file'], oauth.client_secret_file, problemOfLine);
  const program = lookup.type === 'command' ? lookup.command?.[0] : undefined;
  if (program !== undefined && !isProgram(program)) {
    yield {
      path: ['lookup', 'command'],
      message: `${program} is no program that can be run; give its whole path, and make it executable: chmod +x`,
    };
  }
}

function* conflictOfSecret(
  path: Conflict['path'],
  file: string | undefined,
  problemOf: (octets: Buffer, file: string) => string | null,
): Generator<Conflict> {
  if (file === undefined) return;
  let octets: Buffer;
  try {
    octets = readFileSync(file);
  } catch (error) {
    yield { path, message: `cannot be read: ${(error as Error).message}` };
    return;
  }
  const message = problemOf(octets, file);
  if (message !== null) yield { path, message };
}

/** A secret that goes into a line of a protocol; an editor may have put a line end behind it. */
function problemOfLine(octets: Buffer, file: string): string | null {
  return /^[!-~](?:[ -~]*[!-~])?\r?\n?$/.test(octets.toString('latin1'))
    ? null
    : `${file} must hold one line of ASCII, without spaces around it`;
}

/** Whether a command would find it: a path as it is, a name in the folders of PATH. */
function isProgram(program: string): boolean {
  const { PATH = '' } = process.env;
  const candidates = program.includes('/')
    ? [program]
    : PATH.split(delimiter).map((folder) => join(folder, program));
  return candidates.some((file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}
