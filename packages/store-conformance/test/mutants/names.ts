import { Box, boxNamed, type Parts } from '../plain-store.js';
import type { Mutant } from './mutant.js';

export const namesMutants: readonly Mutant[] = [
  {
    name: 'opens by user name',
    caughtBy: 'does not open a maildrop for the user name of its owner alone',
    parts: () => ({ boxOf: (disk, { username }) => boxNamed(disk, username) }),
  },
  {
    name: 'opens what both names say',
    caughtBy: 'opens the same maildrop whoever logged in, or refuses',
    parts: () => ({
      boxOf: (disk, { maildrop, username }) =>
        boxNamed(disk, maildrop === username ? maildrop : `${maildrop} ${username}`),
    }),
  },
  {
    name: 'takes names for paths',
    caughtBy: "opens nobody else's maildrop for a path through another name",
    parts: () => named((name) => new URL(name, 'file:///mail/').pathname.replace('/mail/', '')),
  },
  {
    name: 'takes the last part of a path for the name',
    caughtBy: "opens nobody else's maildrop for a path up and down again",
    parts: () => named((name) => name.split('/').at(-1) ?? ''),
  },
  {
    name: 'removes what it does not like from names',
    caughtBy: "opens nobody else's maildrop for a slash after a name",
    parts: () => named((name) => name.replace(/[^a-z0-9]/g, '')),
  },
  {
    name: 'trims names',
    caughtBy: "opens nobody else's maildrop for a line end after a name",
    parts: () => named((name) => name.trim()),
  },
  {
    name: 'ends names at a NUL',
    caughtBy: "opens nobody else's maildrop for a NUL and more after a name",
    parts: () => named((name) => name.split('\0')[0] ?? ''),
  },
  {
    name: 'normalises names to compatible characters',
    caughtBy: "opens nobody else's maildrop for a fullwidth name",
    parts: () => named((name) => name.normalize('NFKC')),
  },
  {
    name: 'takes names for patterns',
    caughtBy: "opens nobody else's maildrop for a pattern that ends like a name",
    parts: () => ({
      boxOf(disk, { maildrop }) {
        const pattern = new RegExp(`^${maildrop.replace(/[^a-z*?]/g, '\\W').replace(/[*?]/g, '.$&')}$`);
        const found = [...disk].find(([name]) => pattern.test(name));
        return found?.[1] ?? boxNamed(disk, maildrop);
      },
    }),
  },
  {
    name: 'takes names for prefixes',
    caughtBy: "opens nobody else's maildrop for a name without its last character",
    parts: () => ({
      boxOf(disk, { maildrop }) {
        const found = [...disk].find(([name]) => name.startsWith(maildrop));
        return found?.[1] ?? boxNamed(disk, maildrop);
      },
    }),
  },
  {
    name: 'decodes names',
    caughtBy: "opens nobody else's maildrop for an encoded slash",
    parts: () => named((name) => unescape(name).replace('./', '')),
  },
  {
    name: 'fails for names that cannot be encoded',
    caughtBy: "opens nobody else's maildrop for half a surrogate pair",
    parts: () => named(encodeURIComponent),
  },
  {
    name: 'fails for long names',
    caughtBy: "opens nobody else's maildrop for a name of 300 characters",
    parts: () =>
      named((name) => {
        if (name.length > 255) throw new Error('name too long');
        return name;
      }),
  },
  {
    name: 'keeps maildrops as properties of an object',
    caughtBy: "opens nobody else's maildrop for a property of every object",
    parts: () => ({
      boxOf(disk, { maildrop }) {
        const boxes: Record<string, Box> = Object.fromEntries(disk);
        const box = boxes[maildrop] ?? boxNamed(disk, maildrop);
        return Object.assign(box, { entries: [...box.entries] });
      },
    }),
  },
  {
    name: 'opens the first maildrop there is for an empty name',
    caughtBy: "opens nobody else's maildrop for the empty name",
    parts: () => ({
      boxOf: (disk, { maildrop }) =>
        maildrop === '' ? ([...disk.values()][0] ?? new Box()) : boxNamed(disk, maildrop),
    }),
  },
];

function named(nameOf: (maildrop: string) => string): Partial<Parts> {
  return { boxOf: (disk, { maildrop }) => boxNamed(disk, nameOf(maildrop)) };
}
