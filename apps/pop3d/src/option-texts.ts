import { parseArgs } from 'node:util';
import { settings } from './config/schema.js';

const SWITCHES = new Set(
  settings.flatMap(({ flag, placeholder }) => (placeholder === null ? (flag ?? []) : [])),
);

/**
 * The values of flags as they were written, each in the order given: `007` is not a number here.
 *
 * @param args - a command line that is known to be right
 */
export function optionTexts(
  args: readonly string[],
  flags: readonly string[],
): Record<string, readonly (string | boolean)[]> {
  const options = flags.map((flag) => {
    return [flag, { type: SWITCHES.has(flag) ? 'boolean' : 'string', multiple: true }] as const;
  });
  const { values } = parseArgs({
    allowNegative: true,
    args: args.map(hyphenated),
    options: Object.fromEntries(options),
    strict: false,
    allowPositionals: true,
  });
  const known = Object.entries(values).filter(([flag]) => flags.includes(flag));
  return Object.fromEntries(known) as Record<string, (string | boolean)[]>;
}

/** `--tls-cert` for `--tlsCert`, which cac takes as well. */
function hyphenated(arg: string): string {
  return arg.replace(/^--[^=]+/, (flag) => flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
}
