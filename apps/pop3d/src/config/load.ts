import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import type { Conflict } from './conflicts.js';
import { type Config, configSchema, type Setting, settings } from './schema.js';
import { suggestionFor } from './suggestion.js';
import { type KeyPath, type TomlKeys, tomlKeys } from './toml-keys.js';

/** Where the parts of a configuration come from; flags win over the environment, and that over the file. */
export interface ConfigSources {
  /** Path of the file; undefined for none. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Values of the command line by the names of their flags, without hyphens. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Looks at the whole, once each key for itself is good. */
  readonly conflicts?: (config: Config) => Iterable<Conflict>;
}

/** A configuration that cannot be used. Each problem says where it is, which key, and what to do. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** A configuration that can be used, and where each key of it was set. */
export interface LocatedConfig {
  readonly config: Config;
  /** Names a key, with the file, line and column, the flag or the variable that it comes from in front. */
  locate(path: KeyPath): string;
}

/**
 * Puts a configuration together and checks it.
 *
 * @throws ConfigError with all problems that were found.
 */
export function loadConfig(sources: ConfigSources): Config {
  return loadLocatedConfig(sources).config;
}

/**
 * The same, for whoever has more to say about its keys.
 *
 * @throws ConfigError with all problems that were found.
 */
export function loadLocatedConfig(sources: ConfigSources): LocatedConfig {
  const file = sources.file === undefined ? null : readConfigFile(sources.file);
  const values: Record<string, unknown> = file === null ? {} : { ...file.values };
  const origins = new Map<string, string>();
  for (const setting of settings) {
    const given = givenBesideTheFile(setting, sources);
    if (given === null) continue;
    const section = values[setting.section];
    // A section that is no table is reported as it is.
    if (section !== undefined && !isTable(section)) continue;
    values[setting.section] = { ...section, [setting.key]: given.value };
    origins.set(`${setting.section}.${setting.key}`, given.origin);
  }

  const parsed = v.safeParse(configSchema, values);
  if (!parsed.success) throw new ConfigError(parsed.issues.map((issue) => describe(issue, origins, file)));
  const config =
    file === null ? parsed.output : withResolvedFiles(parsed.output, origins, dirname(file.path));
  const locate = (path: KeyPath) => {
    const where = placeOf(path, origins, file);
    return `${where === null ? '' : `${where}: `}${nameOf(path)}`;
  };
  const problems = Array.from(
    sources.conflicts?.(config) ?? [],
    ({ path, message }) => `${locate(path)}: ${message}`,
  );
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, locate };
}

interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly keys: TomlKeys;
}

function readConfigFile(path: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`${path}: cannot be read: ${(error as Error).message}`]);
  }
  try {
    return { path, values: parse(text), keys: tomlKeys(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new ConfigError([`${path}:${error.line}:${error.column}: not valid TOML: ${what}`]);
  }
}

function givenBesideTheFile(
  setting: Setting,
  { flags, environment }: ConfigSources,
): { readonly value: unknown; readonly origin: string } | null {
  const flag = setting.flag === null ? undefined : flags[setting.flag];
  if (flag !== undefined) return { value: valueFrom(setting, flag), origin: `--${setting.flag}` };
  const variable = setting.variable === null ? undefined : environment[setting.variable];
  // An empty variable is what many tools write for one that is not set.
  if (variable === undefined || variable === '') return null;
  return { value: valueFrom(setting, variable), origin: setting.variable as string };
}

function valueFrom(setting: Setting, given: unknown): unknown {
  if (setting.kind === 'list') return [given].flat().flatMap((item) => String(item).split(','));
  // Where a flag is given twice, the last one counts.
  const last = String([given].flat().at(-1));
  // The one switch among the flags: there, or not.
  if (setting.flag === 'allow-plaintext-auth') return chosen(last, 'allow', 'refuse');
  if (setting.kind === 'switch') return chosen(last, true, false);
  return setting.kind === 'number' && /^-?\d+(\.\d+)?$/.test(last) ? Number(last) : last;
}

/** What a yes or a no stands for; a text that is neither stays, to be reported. */
function chosen<T>(given: string, yes: T, no: T): T | string {
  const text = given.toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(text)) return yes;
  return ['false', '0', 'no', 'off'].includes(text) ? no : given;
}

function describe(
  issue: v.BaseIssue<unknown>,
  origins: ReadonlyMap<string, string>,
  file: ConfigFile | null,
): string {
  const path: KeyPath = (issue.path ?? []).map((step) => step.key as string | number);
  const where = placeOf(path, origins, file) ?? 'configuration';
  const section: unknown = issue.path?.[1]?.input;
  // To the schema a list is a table with numbers for keys.
  if (Array.isArray(section) && !isRepeated(path[0])) {
    return `${where}: ${nameOf(path.slice(0, 1))}: ${mustBeTable(section)}`;
  }
  return `${where}: ${nameOf(path)}: ${whatIsWrong(issue, path)}`;
}

function whatIsWrong(issue: v.BaseIssue<unknown>, path: KeyPath): string {
  if (issue.type !== 'strict_object') return mustBe(issue);
  if (issue.expected === 'never') return unknownKey(path);
  // A key that is not there is named as what was expected.
  const isMissing = issue.expected === JSON.stringify(path.at(-1));
  return isMissing ? `is missing: every [[${path[0]}]] needs it` : mustBeTable(issue.input);
}

function isRepeated(section: unknown): boolean {
  return settings.some((setting) => setting.section === section && setting.repeated);
}

/** The flag, the variable or the line that a key comes from; null when none of them names it and there is no file. */
function placeOf(
  path: KeyPath,
  origins: ReadonlyMap<string, string>,
  file: ConfigFile | null,
): string | null {
  const origin = origins.get(path.slice(0, 2).join('.'));
  if (origin !== undefined || file === null) return origin ?? null;
  const position = file.keys.positionOf(path);
  return position === null ? file.path : `${file.path}:${position.line}:${position.column}`;
}

function nameOf(path: KeyPath): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join('');
}

function mustBe({ message, input }: v.BaseIssue<unknown>): string {
  return `must be ${message}, not ${shortened(input)}`;
}

function mustBeTable(input: unknown): string {
  return `must be a table of keys, not ${shortened(input)}`;
}

function shortened(input: unknown): string {
  // JSON has no nan and no inf.
  const text = typeof input === 'number' ? String(input) : (JSON.stringify(input) ?? String(input));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function unknownKey(path: KeyPath): string {
  const [first = '', second] = path.filter((key) => typeof key === 'string');
  const sections = Object.keys(configSchema.entries);
  if (second === undefined) {
    const home = settings.find(({ key }) => key === first.replaceAll('-', '_'));
    if (home !== undefined) return `belongs under ${headerOf(home)}`;
    return withSuggestion('unknown section', suggestionFor(first, sections), sections);
  }
  const keys = settings.filter(({ section }) => section === first).map(({ key }) => key);
  const suggestion = suggestionFor(second, keys);
  const elsewhere = settings.find(({ key }) => key === second);
  if (suggestion === null && elsewhere !== undefined) {
    return `unknown key; ${elsewhere.key} belongs under ${headerOf(elsewhere)}`;
  }
  return withSuggestion('unknown key', suggestion, keys);
}

function headerOf({ section, repeated }: Setting): string {
  return repeated ? `[[${section}]]` : `[${section}]`;
}

function withSuggestion(what: string, suggestion: string | null, known: readonly string[]): string {
  return suggestion === null
    ? `${what}; known are ${known.join(', ')}`
    : `${what}; did you mean ${suggestion}?`;
}

/** Files named in the configuration file are relative to it; those of flags and variables to where one stands. */
function withResolvedFiles(config: Config, origins: ReadonlyMap<string, string>, folder: string): Config {
  const resolved: Record<string, Record<string, unknown> | Record<string, unknown>[]> =
    structuredClone(config);
  for (const { section, key, isFile } of settings) {
    if (!isFile || origins.has(`${section}.${key}`)) continue;
    for (const table of [resolved[section] ?? []].flat()) {
      const value = table[key];
      if (typeof value === 'string') table[key] = resolve(folder, value);
      // A command; a name without a folder is looked for in PATH.
      else if (Array.isArray(value) && String(value[0]).includes('/')) value[0] = resolve(folder, value[0]);
    }
  }
  return resolved as unknown as Config;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
