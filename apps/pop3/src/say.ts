import type { Call } from './call.js';
import { inFlagWords } from './flag-words.js';
import { write } from './output.js';
import { colorsFor } from './screen.js';
import { visible } from './visible.js';

type Speaker = Pick<Call, 'terminal' | 'mask'>;

/** One line about what was done, for a person. */
export function say({ terminal, mask }: Speaker, text: string): void {
  terminal.error.write(`${visible(mask.masked(text))}\n`);
}

/** One line about what went wrong; what the client says of its options is said of flags. */
export function complain({ terminal, mask }: Speaker, text: string): void {
  const { red } = colorsFor(terminal.error);
  terminal.error.write(`${red('pop3:')} ${visible(mask.masked(inFlagWords(text)))}\n`);
}

/** Facts for other programs, a line of JSON, where `--json` wants that. */
export async function tell({ line, terminal, mask, signal }: Call, facts: object): Promise<void> {
  if (line.switch('json') !== true) return;
  const json = JSON.stringify(facts, (_, value) => (typeof value === 'string' ? mask.masked(value) : value));
  await write(terminal.output, `${json}\n`, signal);
}
