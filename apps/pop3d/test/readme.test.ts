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
