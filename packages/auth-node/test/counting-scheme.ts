import type { PasswordScheme } from '../src/index.js';

/** A slow scheme that only counts: the data is the password, `cost=` in front of it the kind. */
export function countingScheme(name = 'COUNTED'): PasswordScheme & { readonly checked: string[] } {
  const checked: string[] = [];
  return {
    checked,
    names: [name],
    slow: true,
    problemOf: (data) => (data === '' ? 'the data is empty' : null),
    costOf: (data) => data.split('=', 1)[0] as string,
    async verify(password, data) {
      checked.push(data);
      return data.slice(data.indexOf('=') + 1) === password;
    },
    hash: (password) => `1=${password}`,
  };
}
