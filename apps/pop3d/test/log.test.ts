import { expect, it } from 'vitest';
import { textLines } from '../src/log.js';
import { loginRefusedLine } from '../src/session-log.js';

const event = {
  connection: 1,
  address: '192.0.2.1',
  port: 4711,
  localPort: 110,
  username: 'ann',
  credentials: 'password',
  tls: null,
  reason: 'bad-credentials',
} as const;

it('writes a refused login in one form, with the address before the name', () => {
  expect(loginRefusedLine(event)).toBe('login refused: peer=192.0.2.1 reason=bad-credentials user=ann');
  expect(loginRefusedLine({ ...event, username: null })).toBe(
    'login refused: peer=192.0.2.1 reason=bad-credentials user=',
  );
  const spoofed = loginRefusedLine({ ...event, username: 'x peer=198.51.100.9 reason=bad-credentials' });
  expect(spoofed).toMatch(/ user="x peer=198\.51\.100\.9 reason=bad-credentials"$/);
  expect(/^login refused: peer=(\S+) reason=bad-credentials /.exec(spoofed)?.[1]).toBe('192.0.2.1');
});

it('makes short lines for people', () => {
  const line =
    '{"level":"info","time":"2026-11-23T07:12:03.456Z","user":"ann","tls":"TLSv1.3 X","ms":11,"maildrop":null,"msg":"session"}';
  expect(textLines(false)(line)).toBe('07:12:03 info  session user=ann tls="TLSv1.3 X" ms=11\n');
});

it('adds the stack of an error', () => {
  const line = JSON.stringify({
    level: 'error',
    time: '',
    msg: 'fault',
    err: { stack: 'Error: x\n    at y' },
  });
  expect(textLines(false)(line)).toBe(' error fault\nError: x\n    at y\n');
});

it('lets nobody write to the terminal', () => {
  const line = JSON.stringify({ level: 'warn', time: '', msg: 'user=\x1b[2J\u202eann\n', user: '\x07' });
  expect(textLines(false)(line)).toBe(' warn  user=\\u001b[2J\\u202eann\\u000a user=\\u0007\n');
});
