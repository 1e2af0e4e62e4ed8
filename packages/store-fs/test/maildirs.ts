import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Body, Maildrop, MessageStore, Refusal } from '@pop3/core';
import { DeletionMarkSet } from '@pop3/core';
import { expect, onTestFinished } from 'vitest';
import { type FsStoreOptions, fsStore, type StoreEvent } from '../src/index.js';

export const NEVER_ABORTED = new AbortController().signal;
export const ANN = { maildrop: 'ann', username: 'ann' };

/** A Maildir `ann` in a directory of its own, which goes with the test. */
export class TestMaildir {
  readonly root: string;
  readonly path: string;
  readonly events: StoreEvent[] = [];

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), 'pop3-store-fs-'));
    onTestFinished(() => rmSync(this.root, { recursive: true, force: true }));
    this.path = join(this.root, 'ann');
    for (const place of ['tmp', 'new', 'cur']) mkdirSync(join(this.path, place), { recursive: true });
  }

  /**
   * Writes a file as another program does.
   *
   * @param file - octets as Latin-1 characters, as in `content`
   */
  put(file: string, content: string | Uint8Array = 'Subject: x\n\nHello.\n'): string {
    const path = join(this.path, file);
    writeFileSync(
      Buffer.from(path, 'latin1'),
      typeof content === 'string' ? Buffer.from(content, 'latin1') : content,
    );
    return path;
  }

  /** Renames a file as another program does. */
  rename(from: string, to: string): void {
    const path = (file: string) => Buffer.from(join(this.path, file), 'latin1');
    renameSync(path(from), path(to));
  }

  /** A store as a program makes it that has just started. */
  store(options: Partial<FsStoreOptions> = {}): MessageStore {
    return fsStore({
      maildir: `${this.root}/{user}`,
      fsync: false,
      report: (event) => this.events.push(event),
      ...options,
    });
  }

  /** What is beside the three directories of messages. */
  files(): string[] {
    return readdirSync(this.path)
      .filter((name) => !['tmp', 'new', 'cur'].includes(name))
      .sort();
  }

  has(file: string): boolean {
    return existsSync(join(this.path, file));
  }
}

export async function tryOpen(store: MessageStore, maildrop = 'ann'): Promise<Maildrop | Refusal> {
  return store.open({ maildrop, username: maildrop }, { signal: NEVER_ABORTED });
}

export async function open(store: MessageStore, maildrop = 'ann'): Promise<Maildrop> {
  const opened = await tryOpen(store, maildrop);
  if ('type' in opened) throw new Error(`refused: ${opened.reason}`);
  onTestFinished(async () => opened.release());
  return opened;
}

export interface Listed {
  readonly id: string;
  readonly octets: number;
}

export function listed({ listing }: Maildrop): Listed[] {
  return Array.from({ length: listing.count }, (_, index) => ({
    id: listing.uniqueIdOf(index + 1),
    octets: listing.octetsOf(index + 1),
  }));
}

export function ids(maildrop: Maildrop): string[] {
  return listed(maildrop).map(({ id }) => id);
}

export function sizes(maildrop: Maildrop): number[] {
  return listed(maildrop).map(({ octets }) => octets);
}

/** What a session finds, and nothing else. */
export async function inspect<T>(store: MessageStore, look: (maildrop: Maildrop) => T): Promise<T> {
  const maildrop = await open(store);
  const seen = await look(maildrop);
  await maildrop.release();
  return seen;
}

/** A message as stored, octets as Latin-1 characters. */
export async function read(maildrop: Maildrop, messageNumber: number): Promise<string> {
  const body = await maildrop.retrieve(messageNumber, { signal: NEVER_ABORTED });
  return body === 'gone' ? 'gone' : (await octetsOf(body)).toString('latin1');
}

export async function octetsOf(body: Body): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function commit(maildrop: Maildrop, ...messageNumbers: number[]) {
  const marks = new DeletionMarkSet(maildrop.listing.count);
  for (const messageNumber of messageNumbers) marks.add(messageNumber);
  return maildrop.commitDeletes(marks, { signal: NEVER_ABORTED });
}

/** Octets of a stored message with CRLF for every line end, also a missing last one (RFC 1939 section 11). */
export function wireOctets(stored: string): number {
  const bareLineFeeds = stored.match(/(?<!\r)\n/g)?.length ?? 0;
  return stored.length + bareLineFeeds + (stored === '' || stored.endsWith('\n') ? 0 : 2);
}

/** Expects that every message goes out with as many octets as the listing says. */
export async function expectHonest(maildrop: Maildrop): Promise<void> {
  for (const [index, { octets }] of listed(maildrop).entries()) {
    expect(octets, `message ${index + 1}`).toBe(wireOctets(await read(maildrop, index + 1)));
  }
}
