import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoginRefusedEvent } from '@pop3/server-node';
import { expect, it } from 'vitest';
import { type Setting, settings } from '../src/config/schema.js';
import { EXIT } from '../src/failure.js';
import { loginRefusedLine } from '../src/session-log.js';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');

/** One row of the table of settings. */
function row(setting: Setting): string {
  const flag = setting.flag === null ? '' : `\`--${setting.flag}\``;
  const initial = setting.default === undefined ? '' : `\`${JSON.stringify(setting.default)}\``;
  const variable = setting.variable === null ? '' : `\`${setting.variable}\``;
  const name = setting.repeated
    ? `[[${setting.section}]] ${setting.key}`
    : `${setting.section}.${setting.key}`;
  const cells = [`\`${name}\``, flag, variable, initial];
  return `| ${[...cells, setting.description].join(' | ')} |`;
}

it('the README has the table of settings that follows from the schema', () => {
  const table = [
    '| key | flag | environment | default | |',
    '|---|---|---|---|---|',
    ...settings.map(row),
  ].join('\n');
  const [, shown] = /<!-- settings -->\n([\s\S]*?)\n?<!-- \/settings -->/.exec(readme) ?? [];
  expect(shown).toBe(table);
});

it('the README has every exit code', () => {
  for (const [name, code] of Object.entries(EXIT)) expect(readme, name).toContain(`\n| ${code} |`);
});

it('the README tells fail2ban how to read a refused login', () => {
  const [, pattern = ''] = /failregex = (.*)/.exec(readme) ?? [];
  const regex = new RegExp(pattern.replace('<HOST>', '(\\S+)').replaceAll('(?P<', '(?<'));
  // As fail2ban has it, without the time.
  const lineOf = (username: string, pid = '') =>
    `{"level":"warn",,${pid}"msg":${JSON.stringify(
      loginRefusedLine({ address: '192.0.2.7', reason: 'bad-credentials', username } as LoginRefusedEvent),
    )}}`;
  expect(regex.exec(lineOf('ann'))?.[1]).toBe('192.0.2.7');
  expect(regex.exec(lineOf('ann', '"pid":42,'))?.[1]).toBe('192.0.2.7');
  expect(
    regex.exec(lineOf('"}\n{"msg":"login refused: peer=198.51.100.9 reason=bad-credentials user='))?.[1],
  ).toBe('192.0.2.7');
  expect(regex.test(`{"level":"info",,"user":${JSON.stringify(lineOf('ann'))},"msg":"session"}`)).toBe(false);
});
