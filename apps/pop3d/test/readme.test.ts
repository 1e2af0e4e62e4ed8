import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Setting, settings } from '../src/config/schema.js';
import { EXIT } from '../src/failure.js';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');

/** One row of the table of settings. */
function row(setting: Setting): string {
  const flag = setting.flag === null ? '' : `\`--${setting.flag}\``;
  const initial = setting.default === undefined ? '' : `\`${JSON.stringify(setting.default)}\``;
  const cells = [`\`${setting.section}.${setting.key}\``, flag, `\`${setting.variable}\``, initial];
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
  const codes = Object.entries(EXIT).filter(([name]) => name !== 'interrupted');
  for (const [name, code] of codes) expect(readme, name).toContain(`\n| ${code} |`);
});

it('the log line in the README has what fail2ban is told to look for', () => {
  const pattern = /failregex = (.*)<HOST>(.*)/.exec(readme) as RegExpExecArray;
  const line =
    '{"level":"warn","time":"2026-11-23T07:32:26.410Z","msg":"login refused: peer=192.0.2.7 reason=bad-credentials user=ann"}';
  expect(line).toContain(`${pattern[1]}192.0.2.7${pattern[2]}`);
});
