import { expect, it } from 'vitest';
import { isPop3Error, Pop3Error, usage } from '../src/errors.js';

it('is an error with a code and a text for the programmer', () => {
  const error = new Pop3Error('POP3_USAGE', 'This request is not open.');
  expect(error).toBeInstanceOf(Error);
  expect([error.name, error.code, error.message]).toEqual([
    'Pop3Error',
    'POP3_USAGE',
    'This request is not open.',
  ]);
  expect(isPop3Error(error)).toBe(true);
});

it('is recognised when it comes from another copy of the package', () => {
  const foreign = Object.assign(new Error('x'), { code: 'POP3_USAGE', [Symbol.for('@pop3/error')]: true });
  expect(isPop3Error(foreign)).toBe(true);
});

it('is nothing else', () => {
  for (const value of [
    null,
    undefined,
    'POP3_USAGE',
    1,
    {},
    new Error('POP3_USAGE'),
    { code: 'POP3_USAGE' },
  ]) {
    expect(isPop3Error(value)).toBe(false);
  }
});

it('does not show its brand to who copies it', () => {
  const error = new Pop3Error('POP3_USAGE', 'x');
  expect(Object.keys(error).sort()).toEqual([
    'code',
    'name',
    'responseCode',
    'retryable',
    'serverText',
    'verb',
  ]);
});

it('says that nothing is known beside its text, unless it is', () => {
  const error = new Pop3Error('POP3_CLOSED', 'x');
  expect(error).toMatchObject({ verb: null, responseCode: null, serverText: null, retryable: false });
  expect('cause' in error).toBe(false);
});

it('carries the command, what the server said, whether to try again, and the cause', () => {
  const cause = new Error('ECONNRESET');
  const details = { verb: 'PASS', responseCode: 'IN-USE', serverText: 'busy', retryable: true, cause };
  expect(new Pop3Error('POP3_REFUSED', 'x', details)).toMatchObject({ code: 'POP3_REFUSED', ...details });
});

it('stops a caller that misuses an interface', () => {
  expect(() => usage('No chunk was asked for.')).toThrow(
    expect.objectContaining({ code: 'POP3_USAGE', message: 'No chunk was asked for.' }),
  );
});
