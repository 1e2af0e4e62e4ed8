import { expect, it } from 'vitest';
import { EXIT, exitCodeOfSystemError } from '../src/failure.js';

it.each([
  ['EACCES', EXIT.noPermission],
  ['ENOSPC', EXIT.system],
  ['ELOCKED', EXIT.temporary],
  ['ERR_INVALID_ARG_TYPE', null],
])('an error %s ends with %s', (code, exitCode) => {
  expect(exitCodeOfSystemError(Object.assign(new Error(code), { code }))).toBe(exitCode);
});

it('an error without a code is ours', () => {
  expect(exitCodeOfSystemError(new TypeError('x is not a function'))).toBeNull();
});
