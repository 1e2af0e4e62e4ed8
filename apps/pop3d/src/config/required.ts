import { EXIT, Failure } from '../failure.js';

/** @throws Failure that names the flag and the key, when neither was given */
export function required(value: string | undefined, flag: string, key: string): string {
  if (value !== undefined) return value;
  throw new Failure(EXIT.badConfiguration, `${key} is not set: give ${flag}, or a file with it by --config`);
}
