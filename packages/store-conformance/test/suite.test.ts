import { describe, expect, it } from 'vitest';
import { storeConformance } from '../src/index.js';
import { CORRECT, type Parts, plainAdapter } from './plain-store.js';
import { type RecordedCase, recorder } from './recorder.js';

const HOOKS = ['deliver', 'removeBehind', 'failDeletes', 'reopen', 'secondStore'] as const;

function casesOf(adapter: Parameters<typeof storeConformance>[1]): readonly RecordedCase[] {
  const { runner, cases } = recorder();
  storeConformance(runner, adapter);
  return cases;
}

function caseNamed(cases: readonly RecordedCase[], name: string): RecordedCase {
  const found = cases.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`there is no case "${name}"`);
  return found;
}

// The kit on a store that is right: it has to pass everything, with this runner's own describe and it.
storeConformance({ describe, it }, { ...plainAdapter(CORRECT), scale: 10_000 });

describe('storeConformance', () => {
  it('gives every case a name of its own, under a group', () => {
    const cases = casesOf(plainAdapter(CORRECT));
    expect(new Set(cases.map(({ path }) => path.join(' > '))).size).toBe(cases.length);
    expect(cases.every(({ path }) => path.length === 3 && path[0] === 'store conformance')).toBe(true);
  });

  it('skips nothing when every hook is there', () => {
    expect(casesOf(plainAdapter(CORRECT)).filter(({ skipped }) => skipped)).toEqual([]);
  });

  it('defines the same cases without hooks, and names the hook that each skipped one needs', () => {
    const all = casesOf(plainAdapter(CORRECT));
    const { open } = plainAdapter(CORRECT);
    const bare = casesOf({ open });
    expect(bare.length).toBe(all.length);
    const skipped = bare.filter((candidate) => candidate.skipped);
    expect(skipped.length).toBeGreaterThan(20);
    for (const { name } of skipped) expect(name).toMatch(/ \[skipped: no hook [a-zA-Z, ]+\]$/);
    for (const hook of HOOKS) expect(skipped.some(({ name }) => name.includes(hook))).toBe(true);
    expect(
      bare.filter((candidate) => !candidate.skipped).every(({ name }) => !name.includes('[skipped')),
    ).toBe(true);
  });

  it('says so in the name where a runner cannot skip', () => {
    const names: string[] = [];
    const { open } = plainAdapter(CORRECT);
    storeConformance({ describe: (_name, define) => define(), it: (name) => names.push(name) }, { open });
    expect(names.filter((name) => name.includes('[skipped: no hook deliver]')).length).toBeGreaterThan(5);
  });

  it('tells the rule when a case fails', async () => {
    const parts: Parts = { ...CORRECT, octetsOf: ({ length }) => length };
    const failing = caseNamed(casesOf(plainAdapter(parts)), 'counts the octets of only an LF');
    await expect(failing.run()).rejects.toThrow(
      /size of the message is 1, expected 2\n {2}Rule: .*RFC 1939 section 11/,
    );
  });

  it('fails and does not hang when a store never answers', async () => {
    const parts: Parts = { ...CORRECT, unlock: () => new Promise(() => {}) };
    const cases = casesOf({ ...plainAdapter(parts), timeoutMs: 5 });
    await expect(caseNamed(cases, 'opens an empty maildrop').run()).rejects.toThrow(
      /not answered within 5 ms/,
    );
  });

  it('gives the large maildrop ten times the time, and runners a little more than the kit takes itself', () => {
    const cases = casesOf({ ...plainAdapter(CORRECT), timeoutMs: 4_000 });
    expect(caseNamed(cases, 'opens an empty maildrop').timeoutMs).toBe(5_000);
    expect(cases.find(({ path }) => path[1] === 'scale')?.timeoutMs).toBe(41_000);
  });

  it('cleans up once after each case, also after one that failed', async () => {
    for (const parts of [CORRECT, { ...CORRECT, octetsOf: () => 7 }]) {
      const adapter = plainAdapter(parts);
      let cleaned = 0;
      const cases = casesOf({
        ...adapter,
        open: async (seed) => ({ ...(await adapter.open(seed)), cleanup: () => cleaned++ }),
      });
      await caseNamed(cases, 'counts the octets of one octet')
        .run()
        .catch(() => {});
      expect(cleaned).toBe(1);
    }
  });

  it('releases what a failed case has left open before it cleans up', async () => {
    const adapter = plainAdapter({ ...CORRECT, octetsOf: () => 7 });
    let heldAtCleanup: boolean | undefined;
    const cases = casesOf({
      ...adapter,
      open: async (seed) => {
        const opened = await adapter.open(seed);
        const cleanup = () => {
          heldAtCleanup = [...opened.disk.values()].some(({ holder }) => holder !== null);
        };
        return { ...opened, cleanup };
      },
    });
    await expect(caseNamed(cases, 'counts the octets of one octet').run()).rejects.toThrow();
    expect(heldAtCleanup).toBe(false);
  });

  it('names the large maildrop with its bound on memory', () => {
    const cases = casesOf({ ...plainAdapter(CORRECT), scale: 20_000, heapOctetsPerMessage: 512 });
    expect(cases.filter(({ path }) => path[1] === 'scale').map(({ name }) => name)).toEqual([
      'serves a maildrop of 20000 messages, within 11.8 MiB of memory',
    ]);
  });
});
