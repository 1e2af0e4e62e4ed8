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

/** A lone `-` is a value here; cac takes it for a flag unless it stands behind `=`. */
export function withDashesAsValues(args: readonly string[]): string[] {
  return args.reduce<string[]>((joined, arg) => {
    const before = joined.at(-1);
    if (arg !== '-' || !before?.startsWith('--') || before.includes('=')) return [...joined, arg];
    return [...joined.slice(0, -1), `${before}=-`];
  }, []);
}

type Declaration = NonNullable<ParseArgsConfig['options']>[string];

function declarationOf(rawName: string): [flag: string, Declaration] {
  const [, short, flag = ''] = /^(?:-([a-z]), )?--(?:no-)?([a-z0-9-]+)/.exec(rawName) ?? [];
  const type = rawName.includes('<') ? 'string' : 'boolean';
  return [flag, { type, multiple: true, ...(short !== undefined && { short }) }];
}
