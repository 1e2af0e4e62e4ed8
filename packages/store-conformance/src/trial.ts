import {
  type Body,
  type CommitOutcome,
  DeletionMarkSet,
  type Identity,
  type Maildrop,
  type MaildropListing,
  type MaybePromise,
  type MessageStore,
  type Refusal,
} from '@pop3/core';
import { expectEqual, expectSameMessages, expectTrue, violated } from './assert.js';
import type { StoreConformanceOptions, StoreUnderTest } from './store-under-test.js';
import { wireForm } from './wire-form.js';

/** What the suite and its cases know of a store: the options, without the type of what `open` gives. */
export type Adapter = StoreConformanceOptions<StoreUnderTest>;

/** One run of one case: fills stores and cleans up after them. */
export class Trial {
  readonly adapter: Adapter;
  readonly #patienceMs: number;
  readonly #subjects: Subject[] = [];

  /** @param patienceMs - after which something that has to happen at once counts as waiting */
  constructor(adapter: Adapter, patienceMs: number) {
    this.adapter = adapter;
    this.#patienceMs = patienceMs;
  }

  /** A store whose maildrop holds these messages. */
  async seed(messages: readonly Uint8Array[]): Promise<Subject> {
    const subject = new Subject(this.adapter, await this.adapter.open(messages), this.#patienceMs);
    this.#subjects.push(subject);
    return subject;
  }

  async end(): Promise<void> {
    for (const subject of this.#subjects) await subject.end();
  }
}

/** A store with a seed, and the hooks of its adapter. */
export class Subject {
  readonly identity: Identity;
  /** Somebody without mail. */
  readonly otherIdentity: Identity;
  readonly #adapter: Adapter;
  readonly #opened: StoreUnderTest;
  readonly #patienceMs: number;
  readonly #sessions: Session[] = [];
  #store: MessageStore;

  constructor(adapter: Adapter, opened: StoreUnderTest, patienceMs: number) {
    this.#adapter = adapter;
    this.#opened = opened;
    this.#patienceMs = patienceMs;
    this.#store = opened.store;
    this.identity = opened.identity;
    const { maildrop, username } = opened.identity;
    this.otherIdentity = adapter.otherIdentity?.(opened) ?? {
      maildrop: `other-${maildrop}`,
      username: `other-${username}`,
    };
  }

  /** The store in use: the one of `open`, or of the last {@link restart}. */
  get store(): MessageStore {
    return this.#store;
  }

  /** Opens a maildrop that nobody else holds. */
  async open(identity: Identity = this.identity, store: MessageStore = this.#store): Promise<Session> {
    const session = await this.tryOpen(identity, store);
    if (session instanceof Session) return session;
    return violated(`open refused with "${session.reason}" although nobody holds the maildrop`);
  }

  /** Opens a maildrop, or says why not. */
  async tryOpen(
    identity: Identity = this.identity,
    store: MessageStore = this.#store,
  ): Promise<Session | Refusal> {
    const { signal } = new AbortController();
    const result = await answered('open', () => store.open(identity, { signal }));
    if ('type' in result) return result;
    const session = new Session(result);
    this.#sessions.push(session);
    return session;
  }

  /** Tries to open a maildrop that is held, and gives the refusal. */
  async expectInUse(identity: Identity = this.identity, store: MessageStore = this.#store): Promise<void> {
    const result = await this.#atOnce(this.tryOpen(identity, store), 'open of a held maildrop');
    if (result instanceof Session) violated('a second session got the maildrop while the first held it');
    expectEqual(result.type, 'refused', 'type of the refusal');
    expectEqual(result.reason, 'in-use', 'reason of the refusal');
  }

  /** What {@link open} lists. The maildrop is released again. */
  async list(): Promise<readonly ListedMessage[]> {
    const session = await this.open();
    const listed = session.listed();
    await session.release();
    return listed;
  }

  /** What {@link open} finds, read and released again. */
  async inspect(): Promise<readonly Message[]> {
    const session = await this.open();
    const found = await session.readAll();
    await session.release();
    return found;
  }

  /** Expects that the maildrop, newly opened, holds these messages and no others. */
  async expectHolds(expected: readonly Uint8Array[], when: string): Promise<readonly Message[]> {
    const found = await this.inspect();
    expectSameMessages(
      found.map(({ wire }) => wire),
      expected.map(wireForm),
      `the maildrop ${when}`,
    );
    return found;
  }

  async deliver(message: Uint8Array): Promise<void> {
    await this.#adapter.deliver?.(this.#opened, message);
  }

  async removeBehind(position: number): Promise<void> {
    await this.#adapter.removeBehind?.(this.#opened, position);
  }

  async failDeletes(positions: readonly number[]): Promise<void> {
    await this.#adapter.failDeletes?.(this.#opened, positions);
  }

  async restart(): Promise<void> {
    const store = await this.#adapter.reopen?.(this.#opened);
    if (store !== undefined) this.#store = store;
  }

  async secondStore(): Promise<MessageStore> {
    return (await this.#adapter.secondStore?.(this.#opened)) ?? this.#store;
  }

  async end(): Promise<void> {
    try {
      for (const session of this.#sessions) if (!session.released) await session.release();
    } finally {
      await this.#opened.cleanup?.();
    }
  }

  async #atOnce<T>(promise: Promise<T>, what: string): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const waits = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`${what} has no answer after ${this.#patienceMs} ms: it waits instead of refusing`));
      }, this.#patienceMs);
    });
    try {
      return await Promise.race([promise, waits]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A message as the listing gives it. */
export interface ListedMessage {
  readonly number: number;
  readonly uniqueId: string;
  readonly octets: number;
}

/** A message as an open maildrop gives it. */
export interface Message extends ListedMessage {
  /** What was read, in its wire form. */
  readonly wire: Uint8Array;
}

/** An open maildrop. A fault of one of its methods is a violation: the kit asks for nothing that may fail. */
export class Session {
  readonly maildrop: Maildrop;
  #released = false;

  constructor(maildrop: Maildrop) {
    this.maildrop = maildrop;
  }

  get listing(): MaildropListing {
    return this.maildrop.listing;
  }

  /** The message as retrieved, as stored; `'gone'` is a violation. */
  async read(messageNumber: number): Promise<Uint8Array> {
    return joined(await this.chunks(messageNumber));
  }

  /** Copies of the chunks of a message. */
  async chunks(messageNumber: number): Promise<readonly Uint8Array[]> {
    const copies: Uint8Array[] = [];
    for await (const chunk of await this.body(messageNumber)) copies.push(chunk.slice());
    return copies;
  }

  /** Copies of the chunks of a message whose store may read into this memory, which is written over after each. */
  async chunksThrough(memory: Uint8Array, messageNumber: number): Promise<readonly Uint8Array[]> {
    const context = {
      signal: new AbortController().signal,
      memory: (octets: number) => (octets <= memory.length ? memory : new Uint8Array(octets)),
    };
    const retrieve = () => this.maildrop.retrieve(messageNumber, context);
    const body = await answered(`retrieve of message ${messageNumber}`, retrieve);
    if (body === 'gone') return violated(`message ${messageNumber} is "gone" although nobody removed it`);
    const copies: Uint8Array[] = [];
    for await (const chunk of chunksOf(body)) {
      copies.push(chunk.slice());
      memory.fill(0x2a);
    }
    return copies;
  }

  /** The chunks of a message as they come. */
  async body(
    messageNumber: number,
    signal?: AbortSignal,
  ): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
    const body = await this.bodyOrGone(messageNumber, signal);
    return body === 'gone' ? violated(`message ${messageNumber} is "gone" although nobody removed it`) : body;
  }

  async bodyOrGone(
    messageNumber: number,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<AsyncGenerator<Uint8Array, void, undefined> | 'gone'> {
    const retrieve = () => this.maildrop.retrieve(messageNumber, { signal });
    const body = await answered(`retrieve of message ${messageNumber}`, retrieve);
    return body === 'gone' ? 'gone' : chunksOf(body);
  }

  /** What TOP is served from: `top`, and without it `retrieve`, as the driver does it. */
  async topBody(
    messageNumber: number,
    lines: number,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<AsyncGenerator<Uint8Array, void, undefined> | 'gone'> {
    const { maildrop } = this;
    if (maildrop.top === undefined) return this.bodyOrGone(messageNumber, signal);
    const top = () => maildrop.top?.(messageNumber, lines, { signal }) ?? 'gone';
    const body = await answered(`top of message ${messageNumber}`, top);
    return body === 'gone' ? 'gone' : chunksOf(body);
  }

  /** Every message, in the order of the numbers. */
  async readAll(): Promise<readonly Message[]> {
    const found: Message[] = [];
    for (const listed of this.listed()) {
      found.push({ ...listed, wire: wireForm(await this.read(listed.number)) });
    }
    return found;
  }

  /** The listing, written out. */
  listed(): ListedMessage[] {
    const { listing } = this;
    return Array.from({ length: listing.count }, (_, index) => ({
      number: index + 1,
      uniqueId: listing.uniqueIdOf(index + 1),
      octets: listing.octetsOf(index + 1),
    }));
  }

  /** The numbers of some messages, which have to be there once each. */
  async numbersOf(messages: readonly Uint8Array[]): Promise<readonly number[]> {
    const found = await this.readAll();
    return messages.map((message) => {
      const wire = wireForm(message);
      const same = found.filter((candidate) => isSame(candidate.wire, wire));
      expectEqual(same.length, 1, 'how often a delivered message is in the maildrop');
      return (same[0] as Message).number;
    });
  }

  /** Commits with these messages marked. */
  async commit(messageNumbers: Iterable<number>, signal?: AbortSignal): Promise<CommitOutcome> {
    const marks = new DeletionMarkSet(this.listing.count);
    for (const messageNumber of messageNumbers) marks.add(messageNumber);
    const context = { signal: signal ?? new AbortController().signal };
    const outcome = await answered('commitDeletes', () => this.maildrop.commitDeletes(marks, context));
    const { removed, failed } = outcome;
    expectTrue(
      removed >= 0 && failed >= 0 && removed + failed === marks.size,
      `commitDeletes of ${marks.size} marked messages counts ${removed} removed and ${failed} failed`,
    );
    return outcome;
  }

  /** Commits with these messages marked, and expects that all of them are removed. */
  async commitAndRelease(messageNumbers: Iterable<number>): Promise<void> {
    const { failed } = await this.commit(messageNumbers);
    expectEqual(failed, 0, 'number of messages that could not be removed');
    await this.release();
  }

  get released(): boolean {
    return this.#released;
  }

  async release(): Promise<void> {
    this.#released = true;
    await answered('release', () => this.maildrop.release());
  }
}

/** The chunks of a body, whichever of its forms it has. Returning early from it returns early from the body. */
async function* chunksOf(body: Body): AsyncGenerator<Uint8Array, void, undefined> {
  if (isOctets(body)) {
    yield body;
    return;
  }
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    if (!isOctets(chunk)) violated(`a body yields ${typeof chunk}, expected a Uint8Array`);
    yield chunk;
  }
}

export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

export function isSame(one: Uint8Array, another: Uint8Array): boolean {
  return one.length === another.length && one.every((octet, at) => octet === another[at]);
}

// By its tag and not by its class: a runner may load the kit and the store in different realms.
function isOctets(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]';
}

async function answered<T>(what: string, ask: () => MaybePromise<T>): Promise<T> {
  try {
    return await ask();
  } catch (fault) {
    return violated(`${what} failed with ${fault}`, fault);
  }
}
