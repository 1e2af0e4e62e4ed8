import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { EXIT, Failure } from './failure.js';
import type { Questioning } from './terminal.js';

/** Asks for a line, and shows nothing of it. @throws Failure on Ctrl-C and Ctrl-D */
export function askHidden(question: string, terminal: Questioning): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  return ask(question, terminal, nowhere);
}

/** Whether somebody says yes. @throws Failure on Ctrl-C and Ctrl-D */
export async function askWhether(question: string, terminal: Questioning): Promise<boolean> {
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `, terminal, terminal.output)).trim());
}

function ask(question: string, { input, output }: Questioning, echo: Writable): Promise<string> {
  const lines = createInterface({ input, output: echo, terminal: true, historySize: 0 });
  let answer: string | null = null;
  return new Promise((resolve, reject) => {
    if (echo === output) lines.setPrompt(question);
    else output.write(question);
    if (echo === output) lines.prompt();
    lines.once('line', (line) => {
      answer = line;
      if (echo !== output) output.write('\n');
      lines.close();
    });
    // Ctrl-C and Ctrl-D close it as well.
    lines.once('close', () => {
      if (answer !== null) return resolve(answer);
      output.write('\n');
      reject(new Failure(EXIT.interrupted, 'interrupted; nothing was deleted'));
    });
  });
}
