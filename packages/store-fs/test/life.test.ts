import { readdirSync, unlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { MessageStore } from '@pop3/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { commit, expectHonest, listed, open, read, TestMaildir } from './maildirs.js';

/** What other programs and sessions do to a Maildir, with numbers to choose messages by. */
const STEP = fc.tuple(
  fc.constantFrom(
    'deliver',
    'deliver-with-sizes',
    'deliver-beside',
    'see',
    'flag',
    'remove',
    'delete',
    'restart',
    'forget',
  ),
  fc.nat(1_000),
);

/** A Maildir in the hands of several programs, and what a user may expect of it. */
class Life {
  readonly maildir = new TestMaildir();
  /** File names by content; every content is there once. */
  readonly #files = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  readonly #idsEver = new Set<string>();
  #store: MessageStore = this.maildir.store();
  #serial = 0;

  async step(kind: string, choice: number): Promise<void> {
    const files = [...this.#files];
    const [content, file] = files[choice % Math.max(1, files.length)] ?? ['', ''];
    const place = file.slice(0, 3);
    switch (kind) {
      case 'deliver':
        return this.#put(`new/${1_000 + choice}.P${++this.#serial}.h`);
      case 'deliver-with-sizes':
        return this.#put(
          `new/${1_000 + choice}.P${++this.#serial}.h`,
          (text) => `,S=${text.length},W=${text.length + (choice % 3)}`,
        );
      case 'deliver-beside':
        if (file === '') return;
        this.#put(file.replace(/^.../, 'new').replace(/[,:].*/, `,S=${++this.#serial}`));
        // Seen before the other one can go: that a name was there, unseen and beside nothing, nobody can know.
        return this.#session(null);
      case 'see':
        return place === 'new'
          ? this.#rename(content, file.replace('new/', 'cur/').concat(':2,S'))
          : undefined;
      case 'flag':
        return place === 'cur' ? this.#rename(content, `${file}T`) : undefined;
      case 'remove':
        if (file !== '') unlinkSync(join(this.maildir.path, file));
        this.#files.delete(content);
        return;
      case 'restart':
        this.#store = this.maildir.store();
        return;
      case 'forget':
        if (this.maildir.has('pop3-sizes')) unlinkSync(join(this.maildir.path, 'pop3-sizes'));
        return;
      default:
        return this.#session(choice);
    }
  }

  /** Opens the maildrop, compares all of it, and deletes a message if there is a choice. */
  async #session(choice: number | null): Promise<void> {
    const session = await open(this.#store);
    const found = listed(session);
    const contents = await Promise.all(found.map((_, at) => read(session, at + 1)));
    expect([...contents].sort()).toEqual([...this.#files.keys()].sort());
    await expectHonest(session);
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
    for (const [at, { id }] of found.entries()) {
      const content = contents[at] as string;
      const before = this.#ids.get(content);
      if (before === undefined) expect(this.#idsEver.has(id)).toBe(false);
      else expect(id).toBe(before);
      this.#ids.set(content, id);
      this.#idsEver.add(id);
    }
    if (found.length > 0 && choice !== null) {
      const number = (choice % found.length) + 1;
      expect(await commit(session, number)).toEqual({ removed: 1, failed: 0 });
      this.#files.delete(contents[number - 1] as string);
    }
    await session.release();
    const left = ['new', 'cur'].flatMap((place) => readdirSync(join(this.maildir.path, place)));
    expect(left).toHaveLength(this.#files.size);
  }

  #put(file: string, fields: (content: string) => string = () => ''): void {
    const content = `${++this.#serial}\n\n${'.\n'.repeat(this.#serial % 7)}`;
    const path = file + fields(content);
    if ([...this.#files.values()].some((other) => other.replace(/:.*/, '').slice(4) === path.slice(4)))
      return;
    // Messages are as old as their order says, however coarse the clock of the file system.
    utimesSync(this.maildir.put(path, content), this.#serial, this.#serial);
    this.#files.set(content, path);
  }

  #rename(content: string, to: string): void {
    this.maildir.rename(this.#files.get(content) as string, to);
    this.#files.set(content, to);
  }
}

it('keeps every message, its size and its unique-id, whatever happens around it', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 10, maxLength: 60 }), async (steps) => {
      const life = new Life();
      for (const [kind, choice] of steps) await life.step(kind, choice);
      await life.step('session', 0);
    }),
    { numRuns: 100 },
  );
});
