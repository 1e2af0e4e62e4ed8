import { octetsOf, textOf } from '../../src/wire-form.js';
import { CORRECT, chunksOf, type Entry, type Parts } from '../plain-store.js';
import type { Mutant } from './mutant.js';

export const retrieveMutants: readonly Mutant[] = [
  {
    name: 'takes the memory of the host for a cache',
    caughtBy: 'retrieves messages through memory that the host lends and uses again',
    parts: () => {
      const cache = new Map<Entry, Uint8Array>();
      return {
        read(entry, _box, _signal, { memory }) {
          const { content } = entry;
          const kept = cache.get(entry);
          if (kept !== undefined || memory === undefined) return kept ?? content.slice();
          const lent = memory(content.length);
          lent.set(content);
          cache.set(entry, lent.subarray(0, content.length));
          return lent.subarray(0, content.length);
        },
      };
    },
  },
  {
    name: 'puts two chunks into the memory of the host',
    caughtBy: 'retrieves messages through memory that the host lends and uses again',
    parts: () => ({
      read({ content }, _box, _signal, { memory }) {
        const lent = memory?.(content.length) ?? new Uint8Array(content.length);
        lent.set(content);
        const middle = content.length >>> 1;
        return [lent.subarray(0, middle), lent.subarray(middle, content.length)];
      },
    }),
  },
  {
    name: 'doubles the dots itself',
    caughtBy: 'retrieves lines that start with dots, twice',
    parts: () => rewritten((text) => text.replace(/^\./gm, '..')),
  },
  {
    name: 'stops at a line with a dot',
    caughtBy: 'retrieves lines that are a terminator, with LF, twice',
    parts: () => rewritten((text) => text.replace(/^\.\r?\n[\s\S]*/m, '')),
  },
  {
    name: 'reads messages as UTF-8',
    caughtBy: 'retrieves 8-bit text, twice',
    parts: () => ({
      read: ({ content }) =>
        new TextEncoder().encode(new TextDecoder('utf-8', { ignoreBOM: true }).decode(content)),
    }),
  },
  {
    name: 'drops a byte order mark',
    caughtBy: 'retrieves UTF-8 text with a byte order mark, twice',
    parts: () => rewritten((text) => text.replace(/^\xef\xbb\xbf/, '')),
  },
  {
    name: 'ends at a NUL',
    caughtBy: 'retrieves NUL octets, twice',
    parts: () => rewritten((text) => text.replace(/\0[\s\S]*/, '')),
  },
  {
    name: 'takes a bare CR for a line end',
    caughtBy: 'retrieves bare CRs, twice',
    parts: () => rewritten((text) => text.replace(/\r(?!\n)/g, '\r\n')),
  },
  {
    name: 'strips white space at the end',
    caughtBy: 'retrieves a CR at the very end, twice',
    parts: () => rewritten((text) => text.trimEnd()),
  },
  {
    name: 'splits long lines',
    caughtBy: 'retrieves a line of 100 000 octets, twice',
    parts: () => rewritten((text) => text.replace(/.{998}/g, '$&\r\n')),
  },
  {
    name: 'drops the lines that start with "From "',
    caughtBy: 'retrieves lines that start with "From ", twice',
    parts: () => rewritten((text) => text.replace(/^From .*\r?\n/gm, '')),
  },
  {
    name: 'drops what is after the last whole chunk',
    caughtBy: 'retrieves a message of 8 MiB, seed 30211',
    parts: () => ({
      read: ({ content }) =>
        chunksOf(content.length < 400_000 ? content : content.subarray(0, content.length & ~4095)),
    }),
  },
  {
    name: 'gives a body only once',
    caughtBy: 'retrieves an ordinary message, twice',
    parts: () => {
      const read = new Set<Entry>();
      return {
        read(entry) {
          if (read.has(entry)) return new Uint8Array(0);
          read.add(entry);
          return entry.content;
        },
      };
    },
  },
  {
    name: 'uses one buffer for all chunks of a body',
    caughtBy: 'never writes again to a chunk it has handed over',
    parts: () => ({ read: ({ content }) => chunksIn(new Uint8Array(4096), content) }),
  },
  {
    name: 'gives its chunks back to a pool at the end of a body',
    caughtBy: 'never writes again to a chunk it has handed over',
    parts: () => ({
      async *read({ content }) {
        const handedOut: Uint8Array[] = [];
        for await (const chunk of chunksOf(content)) {
          handedOut.push(chunk);
          yield chunk;
        }
        for (const chunk of handedOut) chunk.fill(0);
      },
    }),
  },
  {
    name: 'has one reading position for all bodies of a message',
    caughtBy: 'retrieves messages while the bodies of others are half read',
    parts: () => {
      let reading: AsyncGenerator<Uint8Array, void, undefined> | undefined;
      return {
        async *read({ content }) {
          reading = chunksOf(content);
          for (;;) {
            const { done, value } = await reading.next();
            if (done === true) return;
            yield value;
          }
        },
      };
    },
  },
  {
    name: 'fails for a message that is gone',
    caughtBy: 'says that a message is gone which another program has removed, and retrieves the others',
    parts: () => ({
      gone() {
        throw new Error('no such file');
      },
    }),
  },
  {
    name: 'gives nothing for a message that is gone',
    caughtBy: 'says that a message is gone which another program has removed, and retrieves the others',
    parts: () => ({ gone: () => new Uint8Array(0) }),
  },
  {
    name: 'takes message numbers for places in what is there now',
    caughtBy: 'says that a message is gone which another program has removed, and retrieves the others',
    parts: () => ({ find: (box, _entries, messageNumber) => box.entries[messageNumber - 1] }),
  },
  {
    name: 'counts message numbers from the newest',
    caughtBy: 'retrieves the same messages under the same numbers while others are delivered',
    parts: () => ({
      list: (entries, counted) => CORRECT.list([...entries].reverse(), counted),
      find: (box, _entries, messageNumber) => box.entries.at(-messageNumber),
    }),
  },
  {
    name: 'ends a body quietly when its message is removed',
    caughtBy: 'retrieves a message whole or fails when another program removes it in mid-body',
    parts: () => ({
      async *read(entry, box) {
        for await (const chunk of chunksOf(entry.content)) {
          if (!box.entries.includes(entry)) return;
          yield chunk;
        }
      },
    }),
  },
  {
    name: 'keeps the memory of a delivery',
    caughtBy: 'retrieves what was delivered, whatever is written into the memory of the delivery later',
    parts: () => ({ keep: (message) => message }),
  },
  {
    name: 'drops a CR before a NUL',
    caughtBy: 'retrieves random messages, seed 30203',
    parts: () => rewritten((text) => text.replace(/\r\0/g, '\0')),
  },
  {
    name: 'keeps no more than 128 KiB of a delivery',
    caughtBy: 'retrieves delivered messages',
    parts: () => ({ keep: (message) => message.slice(0, 131_072) }),
  },
];

/** Gives bodies that were changed by someone who meant well. */
function rewritten(rewrite: (text: string) => string): Partial<Parts> {
  return { read: ({ content }) => octetsOf(rewrite(textOf(content))) };
}

async function* chunksIn(
  buffer: Uint8Array,
  content: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < content.length; at += buffer.length) {
    const chunk = content.subarray(at, at + buffer.length);
    buffer.set(chunk);
    yield buffer.subarray(0, chunk.length);
  }
}
