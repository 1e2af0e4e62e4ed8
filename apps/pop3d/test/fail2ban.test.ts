import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoginRefusedEvent } from '@pop3/server-node';
import { describe, expect, it } from 'vitest';
import { loginRefusedLine } from '../src/session-log.js';
import { isInstalled } from './installed.js';
import { temporaryFolder } from './temporary-folder.js';

const FILTER = join(import.meta.dirname, '../fail2ban/filter.d/pop3d.conf');

/** A line of the log, with the time or, as fail2ban looks at it, without. */
function lineOf(username: string, { pid = '', time = '', reason = 'bad-credentials' } = {}): string {
  const event = { address: '192.0.2.7', reason, username } as LoginRefusedEvent;
  return `{"level":"warn",${time},${pid}"msg":${JSON.stringify(loginRefusedLine(event))}}`;
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

  it('is one that fail2ban takes, with the time of the line', () => {
    // A machine without it has had the pattern tested above; the checks of the project have it.
    if (!isInstalled('fail2ban-regex')) return;
    const log = join(temporaryFolder(), 'pop3d.log');
    const time = '"time":"2026-11-24T07:32:26.424Z"';
    const lines = [
      lineOf('ann', { time }),
      lineOf('bob', { time, pid: '"pid":42,' }),
      lineOf('cy', { time, reason: 'in-use' }),
    ];
    writeFileSync(log, `${lines.join('\n')}\n`);
    const told = execFileSync('fail2ban-regex', [log, FILTER], { encoding: 'utf8' });
    expect(told).toMatch(/3 lines, 0 ignored, 2 matched, 1 missed/);
    expect(told).toMatch(/\[3\] "time":"/);
  });
});
