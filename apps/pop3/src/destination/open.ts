import { statSync } from 'node:fs';
import type { Call } from '../call.js';
import { EXIT, Failure } from '../failure.js';
import type { Destination } from './destination.js';
import { fileDestination } from './file.js';
import { folderDestination, type NamedBy } from './folder.js';
import { maildirDestination } from './maildir.js';
import { standardOutput } from './standard-output.js';

/**
 * Where `--output` and `--maildir` lead.
 *
 * @param single - whether no more than one message can come
 * @throws Failure for what cannot be
 */
export function openDestination(call: Call, single: boolean): Destination {
  const { line } = call;
  const maildir = line.value('maildir');
  const output = line.value('output');
  if (maildir !== null && output !== null) throw wrong('--output and --maildir: give one of them');
  if (maildir !== null) return maildirDestination(maildir);
  if (output === null || output === '-') {
    if (!single) throw wrong('only one message fits on the standard output: name it, or give --output DIR');
    return standardOutput(call);
  }
  const stat = statSync(output, { throwIfNoEntry: false });
  const asFile = single && !output.endsWith('/') && stat?.isDirectory() !== true;
  if (asFile) return fileDestination(output);
  if (stat !== undefined && !stat.isDirectory()) {
    throw wrong(`--output ${output} is no folder, and only one message fits into a file`);
  }
  return folderDestination(output, namedBy(call));
}

function namedBy({ line }: Call): NamedBy {
  const name = line.value('name') ?? 'number';
  if (name === 'number' || name === 'unique-id') return name;
  throw wrong(`--name ${name} is not known; known are number, unique-id`);
}

function wrong(message: string): Failure {
  return new Failure(EXIT.usage, message);
}
