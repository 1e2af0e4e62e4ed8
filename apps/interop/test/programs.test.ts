import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DEBIAN_PACKAGES, pathOf } from '../src/programs.js';

it('lists the Debian packages of all programs in packages.txt', () => {
  const listed = readFileSync(new URL('../packages.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n');
  expect(listed).toEqual([...new Set<string>(Object.values(DEBIAN_PACKAGES))].sort());
});

it('finds a program that is there and none that is not', () => {
  expect(pathOf('sh')).toMatch(/\/sh$/);
  expect(pathOf('no-such-program-anywhere')).toBeUndefined();
});
