import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoginRefusedEvent } from '@pop3/server-node';
import { describe, expect, it } from 'vitest';
import { loginRefusedLine } from '../src/session-log.js';

const FILTER = join(import.meta.dirname, '../fail2ban/filter.d/pop3d.conf');

/** A line of the log as fail2ban looks at it: without the time. */
function lineOf(username: string, { pid = '', reason = 'bad-credentials' } = {}): string {
  const event = { address: '192.0.2.7', reason, username } as LoginRefusedEvent;
  return `{"level":"warn",,${pid}"msg":${JSON.stringify(loginRefusedLine(event))}}`;
}

describe('the filter for fail2ban', () => {
  const [, pattern = ''] = /^failregex = (.*)$/m.exec(readFileSync(FILTER, 'utf8')) ?? [];
  const regex = new RegExp(pattern.replace('<ADDR>', '([0-9A-Fa-f.:]+)'));

  it.each([
    ['a wrong password', lineOf('ann')],
    ['one that a worker has logged', lineOf('ann', { pid: '"pid":42,' })],
    [
      'a name that looks like a line of another address',
      lineOf('"}\n{"msg":"login refused: peer=198.51.100.9 reason=bad-credentials user='),
    ],
  ])('finds the address of %s', (_what, line) => {
    expect(regex.exec(line)?.[1]).toBe('192.0.2.7');
  });

  it.each([
    ['a maildrop in use', lineOf('ann', { reason: 'in-use' })],
    [
      'a session of somebody with a strange name',
      `{"level":"info",,"user":${JSON.stringify(lineOf('ann'))},"msg":"session"}`,
    ],
  ])('does not mean %s', (_what, line) => {
    expect(regex.test(line)).toBe(false);
  });
});
