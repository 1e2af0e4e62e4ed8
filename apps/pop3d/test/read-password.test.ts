import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readPassword } from '../src/read-password.js';

/** A terminal on which somebody types `keys`. */
function terminal(keys: string) {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode() {} });
  const screen = new PassThrough();
  input.write(keys);
  return { password: readPassword(input, screen), shown: () => String(screen.read() ?? '') };
}

describe('on a terminal', () => {
  it.each([
    ['secret\rsecret\r', 'secret'],
    ['pass wörd\rpass wörd\r', 'pass wörd'],
    ['secx\x7fret\rsecret\r', 'secret'],
    ['wrong\x15secret\rsecret\r', 'secret'],
  ])('%j gives the password, and shows nothing of it', async (keys, expected) => {
    const { password, shown } = terminal(keys);
    expect(await password).toBe(expected);
    expect(shown()).toBe('Password: \nPassword again: \n');
  });

  it.each([
    ['secret\rSecret\r', /the two passwords differ/],
    ['\r\r', /is empty/],
    ['sec\x03', /interrupted/],
    ['\x04', /interrupted/],
  ])('%j gives none', async (keys, message) => {
    await expect(terminal(keys).password).rejects.toThrow(message);
  });
});

describe('from a pipe', () => {
  const piped = (...chunks: (string | Buffer)[]) =>
    readPassword(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), new PassThrough());

  it.each([
    [['secret\n'], 'secret'],
    [['secret'], 'secret'],
    [['secret\r\n'], 'secret'],
    [['se', 'cr', 'et\nmore\n'], 'secret'],
    [[' with spaces \n'], ' with spaces '],
    [['pässwörd\n'], 'pässwörd'],
  ])('takes the first line of %j', async (chunks, expected) => {
    expect(await piped(...chunks)).toBe(expected);
  });

  it.each([
    [[''], /is empty/],
    [['\n'], /is empty/],
    [['a\0b\n'], /NUL/],
    [[Buffer.from([0xe9, 0x0a])], /not UTF-8/],
    [['x'.repeat(1025)], /at most 1024 octets/],
  ])('refuses %j', async (chunks, message) => {
    await expect(piped(...chunks)).rejects.toThrow(message);
  });
});
