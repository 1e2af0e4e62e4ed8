import { describe, expect, it } from 'vitest';
import { type Auth, connectPop3 } from '../src/index.js';
import { errorOf, listen } from './loopback.js';
import { against } from './quirk.js';

const AUTH = { user: 'ann', password: 'secret' };

it.each<[string, unknown]>([
  ['no kind of login', {}],
  ['nothing', null],
  ['an empty password', { user: 'ann', password: '' }],
  ['two kinds at once', { ...AUTH, external: true }],
])('dials no server with %s for a login', async (_, auth) => {
  const socket = () => expect.fail('dialled');
  expect(await errorOf(connectPop3({ socket, tls: 'off', auth: auth as Auth }))).toMatchObject({
    code: 'POP3_USAGE',
  });
});

it.each<[string, object]>([
  ['tls', { tls: 'ssl' }],
  ['tls', { tls: null }],
  ['limits.maxMessages', { limits: { maxMessages: Number.NaN } }],
  ['limits.maxUniqueIdOctets', { limits: { maxUniqueIdOctets: 0 } }],
  ['limits.maxLineOctets', { limits: { maxLineOctets: -1 } }],
])('dials no server with nonsense for %s', async (name, options) => {
  const socket = () => expect.fail('dialled');
  const error = await errorOf(connectPop3({ socket, tls: 'off', auth: AUTH, ...options }));
  expect(error).toMatchObject({ code: 'POP3_USAGE', message: expect.stringContaining(name) });
});

it('takes undefined for a limit or a timeout that is left out', () =>
  against('', {}, async ({ connect }) => {
    const limits = { maxMessages: undefined, maxUniqueIdOctets: undefined, maxLineOctets: undefined };
    const client = await connect({ limits, timeouts: { commandMs: undefined } } as object);
    expect((await client.list()).size).toBe(3);
    expect((await client.uniqueIds()).size).toBe(3);
  }));

describe('a server that does not want to talk', () => {
  const refused = async (greeting: string) => {
    const port = await listen((socket) => socket.end(greeting));
    return errorOf(connectPop3({ host: '127.0.0.1', port, tls: 'off', auth: AUTH }));
  };

  it('is told apart from one that refuses a command', async () => {
    expect(await refused('-ERR [SYS/TEMP] too busy\r\n')).toMatchObject({
      code: 'POP3_REFUSED',
      verb: null,
      responseCode: 'SYS/TEMP',
      serverText: 'too busy',
      retryable: true,
    });
  });

  it('may do so later where it has too many others', async () => {
    expect(await refused('-ERR too many connections\r\n')).toMatchObject({ verb: null, retryable: true });
    expect(await refused('-ERR go away\r\n')).toMatchObject({ verb: null, retryable: false });
  });
});

it('says in what words STLS is refused, and sends nothing more', async () => {
  const said: string[] = [];
  const port = await listen((socket) => {
    socket.write('+OK ready\r\n');
    socket.on('data', (chunk) => {
      said.push(String(chunk));
      socket.write('-ERR [SYS/PERM] no \x1b[2J certificate\r\n');
    });
  });
  const error = await errorOf(connectPop3({ host: '127.0.0.1', port, tls: 'starttls', auth: AUTH }));
  expect(error).toMatchObject({
    code: 'POP3_TLS',
    verb: 'STLS',
    responseCode: 'SYS/PERM',
    serverText: 'no \x1b[2J certificate',
    message: expect.stringMatching(
      /^The server refused to encrypt the connection \(STLS\) \[SYS\/PERM\]: "no \?\[2J certificate"\..*tls: 'implicit'\.$/,
    ),
  });
  expect(said).toEqual(['STLS\r\n']);
});
