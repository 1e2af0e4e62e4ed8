import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { verifyPassword } from '@pop3/auth-node';
import { describe, expect, it } from 'vitest';
import { EXIT, type Failure } from '../src/failure.js';
import type { Terminal } from '../src/user.js';
import { addAppPassword, listAppPasswords, removeAppPassword } from '../src/user-app-password.js';
import { temporaryFolder } from './temporary-folder.js';

const NOW = Date.parse('2026-11-24T12:00:00Z');

/** A users file with ann, and nobody else. */
function usersFile(): string {
  const file = join(temporaryFolder(), 'users');
  writeFileSync(file, '# ours\nann:{PLAIN}secret:::::: x=1\n');
  return file;
}

async function run(command: (terminal: Terminal) => Promise<void>) {
  const output = new PassThrough();
  const error = new PassThrough();
  let failure: Failure | null = null;
  try {
    await command({ input: Readable.from([]), output, error });
  } catch (thrown) {
    failure = thrown as Failure;
  }
  const text = (stream: PassThrough) => String(stream.read() ?? '');
  return {
    output: text(output),
    error: text(error),
    exitCode: failure?.exitCode ?? 0,
    message: failure?.message,
  };
}

const NONE = { expires: undefined, allowNets: undefined, scheme: undefined };

it('makes a password, shows it alone on the output, and stores what proves it', async () => {
  const file = usersFile();
  const { output, error } = await run((terminal) =>
    addAppPassword('ann', 'phone', file, NONE, terminal, NOW),
  );
  expect(error).toBe('added the app password phone of ann; it is shown this once:\n');
  const text = readFileSync(file, 'utf8');
  const [, stored = ''] = /app_password=phone;(\S+)/.exec(text) ?? [];
  expect(stored).toMatch(/^\{SSHA512\}/);
  expect(await verifyPassword(output.trim(), stored)).toBe(true);
  expect(text).not.toContain(output.trim());
  expect(text).toContain('# ours\nann:{PLAIN}secret:');
});

it('lists labels, expiry and networks, and removes by label', async () => {
  const file = usersFile();
  const narrow = { expires: '2027-01-31', allowNets: '192.0.2.0/24, ::1', scheme: 'plain' };
  await run((terminal) => addAppPassword('ann', 'phone', file, NONE, terminal, NOW));
  await run((terminal) => addAppPassword('ann', 'scanner', file, narrow, terminal, NOW));
  const list = (now: number) => run((terminal) => listAppPasswords('ann', file, terminal, now));
  expect(await list(NOW)).toMatchObject({
    output: 'phone\nscanner\tuntil 2027-01-31\tfrom 192.0.2.0/24, ::1\n',
    error: '',
  });
  const later = Date.parse('2027-01-31');
  expect((await list(later)).output).toContain('scanner\texpired 2027-01-31\t');
  expect(await run((terminal) => removeAppPassword('ann', 'phone', file, terminal))).toMatchObject({
    output: 'removed the app password phone of ann\n',
  });
  expect((await list(NOW)).output).toMatch(/^scanner\t[^\n]*\n$/);
});

describe('a refusal says why, and changes nothing:', () => {
  it.each<[string, string, object, number, RegExp]>([
    ['eve', 'phone', {}, EXIT.noSuchUser, /eve is not in .*; to see who is: pop3d user list --users /],
    ['ann', 'my phone', {}, EXIT.badInput, /"my phone": a label is 1 to 64 letters, digits and/],
    [
      'ann',
      'phone',
      { expires: 'tomorrow' },
      EXIT.usage,
      /--expires tomorrow: must be a date such as 2027-01-31/,
    ],
    ['ann', 'phone', { expires: '2027-02-31' }, EXIT.usage, /--expires 2027-02-31: must be/],
    ['ann', 'phone', { expires: '2026-11-24' }, EXIT.usage, /--expires 2026-11-24 is past/],
    [
      'ann',
      'phone',
      { allowNets: '192.0.2.0/33' },
      EXIT.usage,
      /--allow-nets: "192\.0\.2\.0\/33" is neither/,
    ],
    ['ann', 'phone', { scheme: 'MD4' }, EXIT.usage, /--scheme MD4 is not known/],
  ])('add %s %s %j', async (name, label, options, exitCode, message) => {
    const file = usersFile();
    const before = readFileSync(file, 'utf8');
    const result = await run((terminal) =>
      addAppPassword(name, label, file, { ...NONE, ...options }, terminal, NOW),
    );
    expect(result).toMatchObject({ exitCode, output: '' });
    expect(result.message).toMatch(message);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('a label that is taken, and one that is not there', async () => {
    const file = usersFile();
    await run((terminal) => addAppPassword('ann', 'phone', file, NONE, terminal, NOW));
    expect(await run((terminal) => addAppPassword('ann', 'phone', file, NONE, terminal, NOW))).toMatchObject({
      exitCode: EXIT.badInput,
      message: expect.stringContaining('ann has an app password phone already'),
    });
    expect(await run((terminal) => removeAppPassword('ann', 'car', file, terminal))).toMatchObject({
      exitCode: EXIT.noSuchUser,
      message: expect.stringMatching(/ann has no app password car; .*app-password list ann --users /),
    });
    expect(await run((terminal) => listAppPasswords('eve', file, terminal))).toMatchObject({
      exitCode: EXIT.noSuchUser,
    });
  });
});
