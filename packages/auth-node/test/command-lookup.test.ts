import { describe, expect, it } from 'vitest';
import { type CommandLookupOptions, commandLookup } from '../src/index.js';
import { contextOf } from './auth-context.js';

/** A program that is this source, with the name that it was given in `name`. */
function program(source: string, options: Partial<CommandLookupOptions> = {}) {
  const whole = `const name = require('node:fs').readFileSync(0, 'utf8'); ${source}`;
  return commandLookup({ command: process.execPath, args: ['-e', whole], ...options });
}

describe('commandLookup', () => {
  it('gives the name as a line, and takes the user that is printed', async () => {
    const lookup = program("console.log(JSON.stringify({ name, passwords: [{ stored: '{PLAIN}x' }] }))");
    expect(await lookup.find('jörg $(id)', contextOf())).toEqual({
      name: 'jörg $(id)\n',
      passwords: [{ stored: '{PLAIN}x' }],
    });
  });

  it('takes the exit code 67 for nobody', async () => {
    expect(await program("console.log('{}'); process.exitCode = 67").find('eve', contextOf())).toBeNull();
  });

  it('does not mind a program that reads nothing', async () => {
    const args = ['-e', 'process.stdin.destroy(); console.log(\'{"name":"ann","passwords":[]}\')'];
    const lookup = commandLookup({ command: process.execPath, args });
    expect(await lookup.find('ann', contextOf())).toEqual({ name: 'ann', passwords: [] });
  });

  it.each([
    ['process.exitCode = 1', /exited with 1\.$/],
    ["process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)", /was ended by SIGTERM/],
    ["console.log('hunter2')", /printed a user that is not an object/],
    ['console.log(\'{"passwords":[{"stored":"hunter2"}]}\')', /printed a user that has no name/],
    ["console.log('hunter2'.repeat(100000)); setInterval(() => {}, 1000)", /printed more than 262144 octets/],
  ])('takes for a fault, without what was printed: %s', async (source, message) => {
    const failing = Promise.resolve(program(source).find('ann', contextOf()));
    await expect(failing).rejects.toThrow(message);
    await expect(failing).rejects.toThrow(/^(?!.*hunter)/);
  });

  it('says that a program is not there', async () => {
    await expect(commandLookup({ command: '/nowhere/lookup' }).find('ann', contextOf())).rejects.toThrow(
      'The look-up /nowhere/lookup cannot be run (ENOENT).',
    );
  });

  it('kills one that takes too long', async () => {
    const lookup = program('setInterval(() => {}, 1000)', { timeoutMs: 1 });
    await expect(lookup.find('ann', contextOf())).rejects.toThrow(/did not end within 1 ms/);
  });

  it('does not wait for what a program has started', async () => {
    const source =
      "require('node:child_process').spawn('sleep', ['60'], { stdio: 'inherit' }); console.log('started')";
    const failing = Promise.resolve(program(source, { timeoutMs: 300 }).find('ann', contextOf()));
    await expect(failing).rejects.toThrow(/did not end within 300 ms/);
  });

  it('runs a few at a time', async () => {
    const lookup = program('process.stdout.write(JSON.stringify({ name, passwords: [] }))', {
      maxRunning: 1,
    });
    const gone = new AbortController();
    const first = lookup.find('ann', contextOf());
    const second = lookup.find('bob', contextOf({}, gone.signal));
    gone.abort();
    expect(await first).toMatchObject({ passwords: [] });
    // It still waited when nobody wanted it any more.
    expect(await second).toEqual({ type: 'refused', reason: 'temporary' });
  });
});
