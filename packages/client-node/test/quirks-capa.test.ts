import { expect, it } from 'vitest';
import { against, quirk, text } from './quirk.js';
import { MESSAGES } from './scripted-server.js';

const raw = String.raw;

quirk('QS-CAPA.1: CAPA is refused', 'C: CAPA\n S: -ERR what?', async ({ connect, server }) => {
  const client = await connect();
  expect(client.mechanism).toBe('USER');
  expect(await client.capabilities()).toBeNull();
  expect(await text(client.retrieve(1))).toBe(MESSAGES[0]);
  expect([...(await client.uniqueIds()).values()]).toEqual(['id-1', 'id-2', 'id-3']);
  expect(server.connections).toHaveLength(1);
});

for (const how of ['close', 'reset']) {
  quirk(
    `QS-CAPA.1: CAPA ends the connection, by ${how}`,
    [`C: CAPA\n ${how}`, ''],
    async ({ connect, server }) => {
      const client = await connect();
      expect(await text(client.retrieve(1))).toBe(MESSAGES[0]);
      expect(await client.capabilities()).toBeNull();
      expect(server.connections.map(({ lines }) => lines.includes('CAPA'))).toEqual([true, false]);
      expect(server.connections[0]?.lines).toEqual(['CAPA']);
    },
  );
}

quirk('QS-CAPA.1: CAPA ends a connection that cannot be made again', 'C: CAPA\n close', async (setting) => {
  const connected = setting.connect({ socket: setting.server.socket() });
  await expect(connected).rejects.toMatchObject({ code: 'POP3_CLOSED', verb: 'CAPA', retryable: true });
  expect(setting.server.lines).toEqual(['CAPA']);
});

quirk(
  'QS-CAPA.1: a server that ends every connection is tried twice, not for ever',
  'close',
  async (setting) => {
    await expect(setting.connect()).rejects.toMatchObject({ code: 'POP3_CLOSED' });
    expect(setting.server.connections.length).toBeLessThanOrEqual(2);
    expect(setting.server.octets).not.toContain('PASS');
  },
);

quirk(
  'QS-CAPA.6: tags in lower case',
  `C: CAPA
   S: +OK
   S: uidl
   S: Top
   S: sasl Plain
   S: .
   C: AUTH PLAIN AGFubgBzZWNyZXQ=
   S: +OK`,
  async ({ connect }) => {
    const client = await connect();
    expect(client.mechanism).toBe('PLAIN');
    const capabilities = await client.capabilities();
    expect([...(capabilities?.keys() ?? [])]).toEqual(['UIDL', 'TOP', 'SASL']);
  },
);

quirk(
  'QS-CAPA.5: a tag that starts with a dot is no terminator',
  `C: CAPA
   S: +OK
   S: .x
   S: ..y
   S: UIDL
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect([...((await client.capabilities())?.keys() ?? [])]).toEqual(['X', '.Y', 'UIDL']);
  },
);

quirk(
  'CAPA gives empty lines, spaces at the end, tags that nobody knows',
  raw`C: CAPA
   S: +OK Capability list follows
   S:
   S: USER\s
   S: X-GOOGLE-RICO
   S:   EXPIRE   0  \s
   S: TOP\x09
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    const capabilities = await client.capabilities();
    expect(capabilities?.has('X-GOOGLE-RICO')).toBe(true);
    expect(capabilities?.get('EXPIRE')).toEqual(['0']);
    expect(capabilities?.has('USER')).toBe(true);
  },
);

quirk(
  'QS-GMAIL.5: what is on offer changes with the login',
  `C: CAPA
   S: +OK
   S: USER
   S: SASL PLAIN
   S: .
   C: CAPA
   S: +OK
   S: PIPELINING
   S: UIDL
   S: TOP
   S: .
   C: AUTH PLAIN *
   S: +OK`,
  async ({ connect, server }) => {
    const client = await connect();
    expect([...((await client.capabilities())?.keys() ?? [])]).toEqual(['PIPELINING', 'UIDL', 'TOP']);
    const messages: string[] = [];
    for await (const message of client.messages({ pipeline: 3 })) messages.push(await text(message.body()));
    expect(messages).toEqual(MESSAGES);
    expect(server.connections[0]?.mostInFlight).toBeGreaterThan(1);
  },
);

quirk(
  'CAPA is refused after the login, where the answer would be another one',
  `C: CAPA
   S: +OK
   S: PIPELINING
   S: USER
   S: .
   C: CAPA
   S: -ERR not now`,
  async ({ connect, server }) => {
    const client = await connect();
    expect(await client.capabilities()).toBeNull();
    const messages: string[] = [];
    for await (const message of client.messages({ pipeline: 3 })) messages.push(await text(message.body()));
    expect(messages).toEqual(MESSAGES);
    expect(server.connections[0]?.mostInFlight).toBe(1);
  },
);

quirk(
  'QS-CAPA.2: UIDL and TOP work though nobody announces them',
  `C: CAPA
   S: +OK
   S: USER
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect([...(await client.uniqueIds())]).toEqual([
      [1, 'id-1'],
      [2, 'id-2'],
      [3, 'id-3'],
    ]);
    expect(await text(client.top(1, 0))).toBe('Subject: one\r\n\r\n');
    const ids: (string | null)[] = [];
    for await (const message of client.messages()) ids.push(message.uniqueId);
    expect(ids).toEqual(['id-1', 'id-2', 'id-3']);
  },
);

quirk(
  'QS-CAPA.4: a mechanism that is not announced can be asked for',
  `C: CAPA
   S: +OK
   S: USER
   S: SASL PLAIN
   S: .
   C: AUTH XOAUTH2
   S: +
   C> dXNlcj1hbm4BYXV0aD1CZWFyZXIgdG9rZW4BAQ==
   S: +OK`,
  async ({ connect }) => {
    const client = await connect({ auth: { user: 'ann', accessToken: 'token' } });
    expect(client.mechanism).toBe('XOAUTH2');
  },
);

quirk(
  'QS-CAPA.3: PIPELINING that is not announced is not used',
  `C: CAPA
   S: +OK
   S: USER
   S: UIDL
   S: .`,
  async ({ connect, server }) => {
    const client = await connect();
    const messages: string[] = [];
    for await (const message of client.messages({ pipeline: 16 })) {
      messages.push(await text(message.body()));
      message.delete();
    }
    expect(messages).toEqual(MESSAGES);
    expect(await client.quit()).toEqual({ deleted: [1, 2, 3], failed: [] });
    expect(server.connections[0]?.mostInFlight).toBe(1);
  },
);

quirk(
  'QS-CAPA.3: calls at the same time wait for each other where PIPELINING is not announced',
  '',
  async ({ connect, server }) => {
    const client = await connect();
    const [stat, sizes, ids] = await Promise.all([
      client.stat(),
      client.list(),
      client.uniqueIds(),
      client.noop(),
    ]);
    expect(stat).toEqual({ messages: 3, octets: 70 });
    expect([...sizes.values()]).toEqual([23, 22, 25]);
    expect([...ids.values()]).toEqual(['id-1', 'id-2', 'id-3']);
    expect(server.connections[0]?.mostInFlight).toBe(1);
  },
);

it('pipelining is used only where the caller has not switched it off', async () => {
  const announced = `C: CAPA
   S: +OK
   S: PIPELINING
   S: USER
   S: .`;
  await against(announced, {}, async ({ connect, server }) => {
    const client = await connect({ pipelining: 'off' });
    for await (const message of client.messages({ pipeline: 16 })) await text(message.body());
    expect(server.connections[0]?.mostInFlight).toBe(1);
  });
});
