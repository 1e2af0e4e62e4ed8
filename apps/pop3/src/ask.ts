import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { EXIT, Failure } from './failure.js';
import type { Questioning } from './terminal.js';

/** Asks for a line, and shows nothing of it. @throws Failure on Ctrl-C and Ctrl-D */
export function askHidden(question: string, terminal: Questioning, signal: AbortSignal): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  return ask(question, terminal, nowhere, signal);
}

/** Whether somebody says yes. @throws Failure on Ctrl-C and Ctrl-D */
export async function askWhether(
  question: string,
  terminal: Questioning,
  signal: AbortSignal,
): Promise<boolean> {
  const answer = await ask(`${question} [y/N] `, terminal, terminal.output, signal);
  return /^y(es)?$/i.test(answer.trim());
}

function ask(
  question: string,
  { input, output }: Questioning,
  echo: Writable,
  signal: AbortSignal,
): Promise<string> {
  const lines = createInterface({ input, output: echo, terminal: true, historySize: 0, signal });
  let answer: string | null = null;
  return new Promise((resolve, reject) => {
    if (echo !== output) output.write(question);
    else {
      lines.setPrompt(question);
      lines.prompt();
    }
    lines.once('line', (line) => {
      answer = line;
      if (echo !== output) output.write('\n');
      lines.close();
    });
    // Ctrl-C, Ctrl-D and the signal close it as well.
    lines.once('close', () => {
      if (answer !== null) return resolve(answer);
      output.write('\n');
      reject(
        signal.aborted ? signal.reason : new Failure(EXIT.interrupted, 'interrupted; nothing was deleted'),
      );
    });
  });
}
