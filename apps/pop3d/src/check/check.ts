import type { Writable } from 'node:stream';
import type { UsersFileProblem } from '@pop3/auth-node';
import { dateOf, daysLeft, readCertificate } from '../certificate-files.js';
import { certificatesOf } from '../config/listeners.js';
import { ConfigError, type LocatedConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { EXIT, Failure } from '../failure.js';
import { openLog } from '../log.js';
import { type OpenedParts, openParts } from '../parts.js';
import { createServer } from '../server.js';
import { tlsOf } from '../tls-settings.js';
import { positionOf, warningsFor } from '../warnings.js';
import { linesOfOffers } from './offers.js';
import { paragraph } from './report.js';

/** Where a check writes. */
export interface CheckOutput {
  readonly output: Writable;
  readonly error: Writable;
}

/**
 * `pop3d check`: opens all that a configuration names, as serving would, and tells what each listener offers, and why
 * not more. Warnings are on the error output, a line for each.
 *
 * @throws ConfigError for what keeps a server from serving.
 */
export async function check(
  { config }: LocatedConfig,
  { output, error }: CheckOutput,
  now = Date.now(),
): Promise<number> {
  const problems: UsersFileProblem[] = [];
  const parts = open(config, problems);
  const server = createServer(config, parts);
  const lines = [...factsOf(config, parts, now), ...(await linesOfOffers(config, server, parts))];
  const warnings = [
    ...problems.map((problem) => `${positionOf(problem)}: ${problem.message}`),
    ...warningsFor(config, parts, now),
  ];
  output.write(`${lines.join('\n')}\n`);
  for (const warning of new Set(warnings)) error.write(`pop3d: warning: ${warning}\n`);
  return EXIT.ok;
}

function open(config: Config, problems: UsersFileProblem[]): OpenedParts {
  const { log } = openLog({ ...config.log, level: 'silent' });
  try {
    return openParts(config, {
      log,
      tls: tlsOf(config, { ticketKeys: null }),
      secret: null,
      throttleStore: null,
      onUsersProblem: (problem) => problems.push(problem),
      onLookupProblem: () => {},
      onThrottled: () => {},
    });
  } catch (failure) {
    if (failure instanceof Failure) throw new ConfigError([failure.message]);
    throw failure;
  }
}

function factsOf(config: Config, { logins }: OpenedParts, now: number): string[] {
  const lines: string[] = [];
  for (const files of certificatesOf(config)) {
    const read = readCertificate(files);
    if ('message' in read) continue;
    const names = read.names.length === 0 ? 'for no name' : `for ${read.names.join(', ')}`;
    lines.push(
      ...paragraph(
        `certificate ${files.cert}: ${names}, until ${dateOf(read.validTo)}, ${daysLeft(read, now)} days left`,
        0,
      ),
    );
  }
  if (logins.users !== null) {
    const count = [...logins.users.names()].length;
    lines.push(...paragraph(`users ${config.users.file}: ${count === 1 ? '1 user' : `${count} users`}`, 0));
  }
  lines.push(...paragraph(`mail ${config.store.maildir}`, 0));
  return lines;
}
