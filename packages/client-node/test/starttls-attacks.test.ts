/** What somebody between a client and its server can do about STLS (RFC 2595; CVE-2011-0411 and its kin), and cannot. */
import { setImmediate as turn } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import type { ConnectOptions } from '../src/index.js';
import { certificate, type KeyPair } from './certificates.js';
import { against, PLAIN, quirk, type Setting, text } from './quirk.js';
import { MESSAGES, type ScriptedServerOptions } from './scripted-server.js';

const raw = String.raw;
/** Everything that logs in, and the password in the forms in which it could go out. */
const LOGIN = /USER|PASS|AUTH|APOP|secret|c2VjcmV0|AGFubgBzZWNyZXQ/;
const BEFORE_TLS: readonly string[] = ['CAPA', 'STLS', 'QUIT'];

const STLS = `C: STLS
   S: +OK
   tls`;
const ANNOUNCED = `C: CAPA
   S: +OK
   S: USER
   S: STLS
   S: .`;

let own: KeyPair;
beforeAll(async () => {
  own = await certificate({ names: ['localhost'] });
});

interface Attack extends Setting {
  /** TLS by STLS, with the one certificate to trust, over a connection in memory or TCP. */
  attempt(options?: Partial<ConnectOptions>): ReturnType<Setting['connect']>;
}

/** In memory, whole and octet by octet, and over TCP. */
function attack(
  name: string,
  scripts: string | readonly string[],
  test: (attack: Attack) => Promise<void>,
): void {
  const options: ScriptedServerOptions = {
    get certificate() {
      return own;
    },
  };
  const settings = () => ({
    ...PLAIN,
    tls: 'starttls',
    allowPlaintext: false,
    host: 'localhost',
    trust: { ca: own.cert },
  });
  quirk(
    name,
    scripts,
    (setting) =>
      test({
        ...setting,
        attempt: (changes) => setting.connect({ ...settings(), ...changes } as ConnectOptions),
      }),
    options,
  );
  it(`${name} > over TCP`, () =>
    against(scripts, options, async (setting) => {
      const { port } = await setting.server.listen();
      const tcp = { host: 'localhost', port, socket: undefined };
      await test({
        ...setting,
        attempt: (changes) => setting.connect({ ...settings(), ...tcp, ...changes } as ConnectOptions),
      });
    }));
}

attack('STLS works at all', [ANNOUNCED, STLS].join('\n'), async ({ attempt, server }) => {
  const client = await attempt();
  expect(client.encrypted).toBe(true);
  const bodies: string[] = [];
  for await (const message of client.messages()) {
    bodies.push(await text(message.body()));
    message.delete();
  }
  expect(bodies).toEqual(MESSAGES);
  expect((await client.quit()).deleted).toHaveLength(3);
  expect(server.connections[0]?.clear).not.toMatch(LOGIN);
});

// ----- injected octets

for (const [what, injected] of [
  ['a whole answer', raw`+OK\r\n`],
  ['answers to everything that could follow', raw`+OK\r\nUSER\r\n.\r\n+OK\r\n+OK\r\n+OK 1 10\r\n`],
  ['a refusal', raw`-ERR no\r\n`],
  ['half a line', '+O'],
  ['a single octet', raw`\x00`],
  ['a line end', raw`\r\n`],
  ['what looks like TLS', raw`\x16\x03\x03\x00\x05hello`],
] as const) {
  attack(
    `STLS-INJ.2: ${what} behind +OK, in the same segment`,
    raw`C: STLS
     S| +OK\r\n${injected}
     tls`,
    async ({ attempt, server }) => {
      await expect(attempt()).rejects.toMatchObject({ code: expect.stringMatching(/^POP3_(PROTOCOL|TLS)$/) });
      await server.ended();
      for (const { lines, octets } of server.connections) {
        expect(octets).not.toMatch(LOGIN);
        expect(lines.at(-1)).toBe('STLS');
      }
    },
  );

  attack(
    `STLS-INJ.2: ${what} behind +OK, in a later segment`,
    raw`C: STLS
     S: +OK
     wait
     S| ${injected}
     close`,
    async ({ attempt, server }) => {
      const attempted = attempt();
      const failed = expect(attempted).rejects.toMatchObject({
        code: expect.stringMatching(/^POP3_(PROTOCOL|TLS|CLOSED)$/),
      });
      await server.quiet();
      server.release();
      await failed;
      await server.ended();
      expect(server.octets).not.toMatch(LOGIN);
      expect(server.connections).toHaveLength(1);
    },
  );
}

attack(
  'STLS-INJ.2: the answer to STLS comes before STLS was said',
  raw`C: CAPA
   S| +OK\r\nSTLS\r\nUSER\r\n.\r\n+OK\r\n
   C: STLS
   S: +OK
   silence`,
  async ({ attempt, server }) => {
    // The handshake then finds the true answer where it expects TLS.
    await expect(attempt({ tls: 'opportunistic', allowPlaintext: true })).rejects.toMatchObject({
      code: expect.stringMatching(/^POP3_(PROTOCOL|TLS)$/),
    });
    await server.ended();
    expect(server.octets).not.toMatch(LOGIN);
  },
);

attack(
  'STLS-INJ.3: nothing is said between STLS and its answer',
  `C: STLS
   wait
   S: +OK
   tls`,
  async ({ attempt, server }) => {
    const attempted = attempt();
    await server.quiet();
    for (let i = 0; i < 20; i++) await turn();
    expect(server.octets).toMatch(/STLS\r\n$/);
    server.release();
    await attempted;
    expect(server.connections[0]?.mostInFlight).toBe(1);
  },
);

// ----- stripping

for (const [what, capa] of [
  ['does not announce it', 'C: CAPA\n S: +OK\n S: USER\n S: .'],
  ['refuses CAPA', 'C: CAPA\n S: -ERR'],
  ['announces it', ANNOUNCED],
] as const) {
  attack(
    `STLS-INJ.4: a server that ${what} refuses STLS`,
    `${capa}
     C: STLS
     S: -ERR [SYS/TEMP] TLS not available`,
    async ({ attempt, server }) => {
      await expect(attempt()).rejects.toMatchObject({
        code: 'POP3_TLS',
        verb: 'STLS',
        serverText: 'TLS not available',
      });
      await server.ended();
      expect(server.lines).toContain('STLS');
      for (const line of server.lines) expect(BEFORE_TLS).toContain(line);
    },
  );

  attack(
    `STLS-INJ.4: allowPlaintext makes nothing of starttls, with a server that ${what}`,
    `${capa}
     C: STLS
     S: -ERR`,
    async ({ attempt, server }) => {
      await expect(attempt({ allowPlaintext: true })).rejects.toMatchObject({ code: 'POP3_TLS' });
      expect(server.octets).not.toMatch(LOGIN);
    },
  );

  attack(
    `STLS-INJ.4: with a server that ${what}, STLS is said all the same`,
    `${capa}\n${STLS}`,
    async ({ attempt, server }) => {
      const client = await attempt();
      expect(client.encrypted).toBe(true);
      expect(server.connections[0]?.clear).not.toMatch(LOGIN);
    },
  );

  attack(
    `STLS-INJ.4: opportunistic sends no password in the clear, with a server that ${what} and refuses STLS`,
    `${capa}
     C: STLS
     S: -ERR`,
    async ({ attempt, server }) => {
      await expect(attempt({ tls: 'opportunistic' })).rejects.toMatchObject({
        code: expect.stringMatching(/^POP3_(TLS|UNSUPPORTED)$/),
      });
      await server.ended();
      expect(server.octets).not.toMatch(LOGIN);
    },
  );
}

for (const [what, ending] of [
  ['closes the connection', 'close'],
  ['resets the connection', 'reset'],
  ['says nonsense', 'S: STLS'],
  ['says +ok in lower case', 'S: +ok\n tls'],
] as const) {
  attack(
    `STLS-INJ.4: the answer to STLS: the server ${what}`,
    `C: STLS\n ${ending}`,
    async ({ attempt, server }) => {
      for (const tls of ['starttls', 'opportunistic'] as const) {
        await expect(attempt({ tls })).rejects.toMatchObject({
          code: expect.stringMatching(/^POP3_(TLS|CLOSED|PROTOCOL|UNSUPPORTED)$/),
        });
      }
      expect(server.octets).not.toMatch(LOGIN);
    },
  );
}

attack(
  'STLS-INJ.4: CAPA ends the connection: the next one is encrypted all the same',
  [`${STLS}\n C: CAPA\n close`, STLS],
  async ({ attempt, server }) => {
    const client = await attempt();
    expect(client.encrypted).toBe(true);
    expect(server.octets).toContain('PASS secret');
    for (const { clear } of server.connections) expect(clear).not.toMatch(LOGIN);
  },
);

attack(
  'STLS-INJ.4: opportunistic, with CAPA that ends the connection: no password in the clear',
  ['C: CAPA\n close', 'C: STLS\n S: -ERR'],
  async ({ attempt, server }) => {
    await expect(attempt({ tls: 'opportunistic' })).rejects.toMatchObject({
      code: expect.stringMatching(/^POP3_(TLS|UNSUPPORTED|CLOSED)$/),
    });
    expect(server.octets).not.toMatch(LOGIN);
  },
);

attack(
  'opportunistic goes on in the clear only where the caller says so',
  'C: STLS\n S: -ERR',
  async ({ attempt, server }) => {
    const client = await attempt({ tls: 'opportunistic', allowPlaintext: true });
    expect(client.encrypted).toBe(false);
    expect(server.octets).toContain('PASS secret');
  },
);

// ----- handshakes that fail

attack('a certificate of somebody else', `${ANNOUNCED}\n${STLS}`, async ({ attempt, server }) => {
  const other = await certificate({ names: ['localhost'] });
  for (const tls of ['starttls', 'opportunistic'] as const) {
    for (const allowPlaintext of [false, true]) {
      const attempted = attempt({ tls, allowPlaintext, trust: { ca: other.cert } });
      await expect(attempted).rejects.toMatchObject({ code: 'POP3_TLS' });
    }
  }
  await server.ended(4);
  expect(server.octets).not.toMatch(LOGIN);
});

attack('a certificate for another name', STLS, async ({ attempt, server }) => {
  const attempted = attempt({ trust: { ca: own.cert, serverName: 'mail.example.org' } });
  await expect(attempted).rejects.toMatchObject({ code: 'POP3_TLS' });
  await server.ended();
  expect(server.octets).not.toMatch(LOGIN);
});

attack(
  'answers in the clear where the handshake should be',
  `${ANNOUNCED}
   C: STLS
   S: +OK
   S: +OK
   S: +OK`,
  async ({ attempt, server }) => {
    for (const tls of ['starttls', 'opportunistic'] as const) {
      await expect(attempt({ tls, allowPlaintext: true })).rejects.toMatchObject({
        code: expect.stringMatching(/^POP3_(PROTOCOL|TLS)$/),
      });
    }
    expect(server.octets).not.toMatch(LOGIN);
  },
);

// ----- what was said in the clear is not believed

attack(
  'RFC2595-4.5: capabilities from before TLS are forgotten',
  [
    `C: CAPA
     S: +OK
     S: SASL PLAIN
     S: PIPELINING
     S: STLS
     S: .
     C: CAPA
     S: +OK
     S: SASL LOGIN
     S: .`,
    STLS,
    `C: AUTH LOGIN
     S: +
     C> YW5u
     S: +
     C> c2VjcmV0
     S: +OK`,
  ].join('\n'),
  async ({ attempt, server }) => {
    const client = await attempt({ tls: 'opportunistic' });
    expect(client.mechanism).toBe('LOGIN');
    expect([...((await client.capabilities())?.keys() ?? [])]).toEqual(['SASL']);
    for await (const message of client.messages({ pipeline: 8 })) await text(message.body());
    expect(server.connections[0]?.mostInFlight).toBe(1);
  },
);

attack(
  'RFC2595-4.5: capabilities from before TLS are forgotten, also where CAPA is refused inside',
  `C: CAPA
   S: +OK
   S: PIPELINING
   S: SASL PLAIN
   S: STLS
   S: .
   C: CAPA
   S: -ERR
   ${STLS}`,
  async ({ attempt, server }) => {
    const client = await attempt({ tls: 'opportunistic' });
    expect(client.mechanism).toBe('USER');
    expect(await client.capabilities()).toBeNull();
    for await (const message of client.messages({ pipeline: 8 })) await text(message.body());
    expect(server.connections[0]?.mostInFlight).toBe(1);
  },
);

attack(
  'RFC2595-4.7: a timestamp from before TLS is not used',
  `S: +OK ready <1896.697170952@dbc.mtview.ca.us>
   ${STLS}`,
  async ({ attempt, server }) => {
    const auth = { user: 'ann', password: 'secret', mechanism: 'APOP' };
    await expect(attempt({ auth })).rejects.toMatchObject({ code: 'POP3_UNSUPPORTED' });
    await server.ended();
    expect(server.octets).not.toMatch(LOGIN);
  },
);

for (const greeting of [
  '+OK ann logged in',
  '+OK [PREAUTH] ann has 3 messages',
  '+OK maildrop locked and ready',
]) {
  attack(
    `a greeting that says the login is done is not believed: ${greeting}`,
    `S: ${greeting}
     ${ANNOUNCED}
     C: STLS
     S: -ERR you are logged in already`,
    async ({ attempt, server }) => {
      await expect(attempt()).rejects.toMatchObject({ code: 'POP3_TLS' });
      await expect(attempt({ tls: 'opportunistic' })).rejects.toMatchObject({
        code: expect.stringMatching(/^POP3_(TLS|UNSUPPORTED)$/),
      });
      await server.ended(2);
      for (const line of server.lines) expect(BEFORE_TLS).toContain(line);
    },
  );
}
