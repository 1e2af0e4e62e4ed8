import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Writable } from 'node:stream';
import { EXIT, Failure } from './failure.js';

/** More is not a password: somebody has piped the wrong file. */
const MAX_OCTETS = 1024;

/**
 * Reads a new password: from a terminal twice, without showing it; otherwise one line of what is piped.
 *
 * @throws Failure when the two differ, when there is none, and on Ctrl-C.
 */
export async function readPassword(
  input: Readable & { readonly isTTY?: boolean | undefined },
  terminal: Writable,
): Promise<string> {
  const password = input.isTTY ? await askTwice(input, terminal) : await firstLine(input);
  if (password === '') throw new Failure(EXIT.badInput, 'the password is empty');
  if (password.includes('\0')) throw new Failure(EXIT.badInput, 'a password cannot hold a NUL');
  return password;
}

async function askTwice(input: Readable, terminal: Writable): Promise<string> {
  const [password, again] = await askHidden(['Password: ', 'Password again: '], input, terminal);
  if (password !== again) throw new Failure(EXIT.badInput, 'the two passwords differ; nothing was changed');
  return password as string;
}

// One interface for all questions: with one each, lines that were pasted together would be lost.
function askHidden(questions: readonly string[], input: Readable, terminal: Writable): Promise<string[]> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  const answers: string[] = [];
  return new Promise((resolve, reject) => {
    terminal.write(questions[0] as string);
    lines.on('line', (line) => {
      if (answers.length === questions.length) return;
      answers.push(line);
      terminal.write('\n');
      if (answers.length === questions.length) lines.close();
      else terminal.write(questions[answers.length] as string);
    });
    // Ctrl-C and Ctrl-D close it as well.
    lines.on('close', () => {
      if (answers.length === questions.length) return resolve(answers);
      terminal.write('\n');
      reject(new Failure(EXIT.interrupted, 'interrupted; nothing was changed'));
    });
  });
}

async function firstLine(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of input) {
    const end = (chunk as Buffer).indexOf('\n');
    const part = end === -1 ? (chunk as Buffer) : (chunk as Buffer).subarray(0, end);
    chunks.push(part);
    octets += part.length;
    if (octets > MAX_OCTETS) throw new Failure(EXIT.badInput, `a password has at most ${MAX_OCTETS} octets`);
    if (end !== -1) break;
  }
  const line = Buffer.concat(chunks);
  const text = line.toString('utf8');
  if (!Buffer.from(text).equals(line)) throw new Failure(EXIT.badInput, 'the password is not UTF-8');
  return text.replace(/\r$/, '');
}
