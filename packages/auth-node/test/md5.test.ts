import { createHmac, hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cramMd5Context } from '../src/index.js';
import { md5GoingOn, md5StateAfter } from '../src/md5.js';

it('goes on from the first block to the digest that Node gives', () => {
  const octets = fc.uint8Array({ minLength: 64, maxLength: 400 });
  fc.assert(
    fc.property(octets, (message) => {
      const found = md5GoingOn(md5StateAfter(message.subarray(0, 64)), message.subarray(64));
      return found.toString('hex') === hash('md5', message, 'hex');
    }),
  );
});

it.each([0, 55, 56, 63, 64, 119, 120])('pads %d further octets', (length) => {
  const message = Buffer.alloc(64 + length, 'x');
  const found = md5GoingOn(md5StateAfter(message.subarray(0, 64)), message.subarray(64));
  expect(found.toString('hex')).toBe(hash('md5', message, 'hex'));
});

it('makes of a context and a challenge what HMAC-MD5 makes of the password', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 150 }), fc.uint8Array(), (password, challenge) => {
      const context = cramMd5Context.hash(password) as string;
      const expected = createHmac('md5', Buffer.from(password)).update(challenge).digest('hex');
      return Buffer.from(cramMd5Context.hmacMd5?.(context, challenge) ?? []).toString('hex') === expected;
    }),
  );
});
