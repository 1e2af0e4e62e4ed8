import { readFileSync } from 'node:fs';

/** Secrets that come from a file, or from the environment. They are no part of the configuration, which is printed. */
export type SecretName = 'oauth.client_secret' | 'lookup.authorization';

/** The variable of the environment that holds a secret. */
export function variableOf(name: SecretName): string {
  return `POP3D_${name.replace('.', '_').toUpperCase()}`;
}

/** Whether the environment holds a secret. */
export function hasSecret(name: SecretName): boolean {
  return Boolean(process.env[variableOf(name)]);
}

/**
 * A secret: of the environment, or else the line in a file. Undefined where neither has it.
 *
 * @throws the error of the file system when the file cannot be read.
 */
export function secretOf(name: SecretName, file: string | undefined): string | undefined {
  const given = process.env[variableOf(name)];
  if (given !== undefined && given !== '') return given;
  return file === undefined ? undefined : readFileSync(file, 'latin1').replace(/\r?\n$/, '');
}
