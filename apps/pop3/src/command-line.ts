import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What a command was called with, as it was written: cac would make a number of the user `007`. */
export interface CommandLine {
  /** What stands behind the command, without flags. */
  readonly operands: readonly string[];
  /** The value of a flag; where it is given twice, the last one counts. */
  value(flag: string): string | null;
  /** All values of a flag, in order. */
  values(flag: string): readonly string[];
  /** Whether a switch is on; undefined where nothing is said. */
  switch(flag: string): boolean | undefined;
}

/** An option as cac declares it, such as `-u, --user <NAME>`. */
export interface DeclaredOption {
  readonly rawName: string;
}

/**
 * Reads a command line that is known to be right.
 *
 * @param args - the command first
 * @param options - of that command
 */
export function readCommandLine(args: readonly string[], options: readonly DeclaredOption[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(options.map(({ rawName }) => declarationOf(rawName))),
    allowNegative: true,
    allowPositionals: true,
    strict: false,
  });
  const given = (flag: string) => (values[flag] as (string | boolean)[] | undefined) ?? [];
  return {
    operands: positionals.slice(1),
    value: (flag) => (given(flag).at(-1) as string | undefined) ?? null,
    values: (flag) => given(flag) as string[],
    switch: (flag) => given(flag).at(-1) as boolean | undefined,
  };
}

const LONG_FORMS: Readonly<Record<string, string>> = { '-u': '--user', '-o': '--output' };

/** Arguments as cac and Node both read them: `--unique-id` for `--uniqueId`, and `--output=-` for `-o -`. */
export function normalized(args: readonly string[]): string[] {
  const words: string[] = [];
  for (const arg of args) {
    const before = words.at(-1) ?? '';
    if (arg === '-' && /^--[^=]+$/.test(before)) words[words.length - 1] = `${before}=-`;
    else words.push(LONG_FORMS[arg] ?? arg.replace(/^--[^=]+/, hyphenated));
  }
  return words;
}

function hyphenated(flag: string): string {
  return flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

type Declaration = NonNullable<ParseArgsConfig['options']>[string];

function declarationOf(rawName: string): [flag: string, Declaration] {
  const [, flag = ''] = /--(?:no-)?([a-z0-9-]+)/.exec(rawName) ?? [];
  return [flag, { type: rawName.includes('<') ? 'string' : 'boolean', multiple: true }];
}
