import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../src/failure.js';
import { called, pop3 } from './pop3.js';

describe('help', () => {
  it.each([
    [['--help']],
    [['list', '--help']],
    [['get', '-h']],
    [['top', '--help']],
    [['delete', '--help']],
    [['capa', '--help']],
    [['raw', '--help']],
  ])('of %j has an example', async (args) => {
    const { exitCode, stdout, stderr } = await pop3(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/Usage:\n {2}\$ pop3/);
    expect(stdout).toMatch(/Examples?:\n {2}\$ .*pop3/);
    expect(stdout).toMatch(/Exit codes:\n/);
  });

  it('is printed, as an error, when there is no command', async () => {
    expect(await pop3([])).toMatchObject({ exitCode: EXIT.usage, stdout: expect.stringContaining('Usage:') });
  });

  it('of delete says that numbers change', async () => {
    expect((await pop3(['delete', '--help'])).stdout).toMatch(/Numbers change between sessions/);
  });
});

it('tells its version', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(await pop3(['--version'])).toEqual({ exitCode: 0, stdout: `pop3 ${version}\n`, stderr: '' });
});

it.each<[string[], RegExp]>([
  [['lst'], /unknown command lst; did you mean list\?/],
  [['fetch'], /unknown command fetch; known are list, get, top, delete, capa, raw/],
  [['list', 'h', '--usr', 'x'], /Unknown option --usr \(did you mean --user\?\); see pop3 list --help/],
  [['list', 'h', '--user'], /--user <NAME> value is missing/],
  [['list', 'h', 'now'], /Unused args: now/],
  [['list'], /missing required args for command list <host>; see pop3 list --help/],
  [['list', 'h:x'], /HOST is not understood/],
])('a wrong call says what is right: %j', async (args, message) => {
  const result = await called(args);
  expect(result).toMatchObject({ exitCode: EXIT.usage, stdout: '' });
  expect(result.stderr).toMatch(message);
  expect(result.stderr).toMatch(/^pop3: .*\n$/);
});
