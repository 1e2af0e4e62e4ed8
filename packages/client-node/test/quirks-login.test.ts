import { isPop3Error, type Pop3Error } from '@pop3/core';
import { describe, expect, it } from 'vitest';
import { against, quirk, text } from './quirk.js';
import { MESSAGES } from './scripted-server.js';

const raw = String.raw;
const SECRETS = /secret|c2VjcmV0|AGFubgBzZWNyZXQ|PASS|APOP|AUTH/;

for (const [what, greeting, shown] of [
  ['without text', '+OK', ''],
  [
    'of several words',
    '+OK  Gpop ready for requests from 192.0.2.1 a1mb2',
    'Gpop ready for requests from 192.0.2.1 a1mb2',
  ],
  [
    'with brackets at its end',
    '+OK The service is ready. [UwBDADEALgBQ]',
    'The service is ready. [UwBDADEALgBQ]',
  ],
  ['with a domain in angle brackets', '+OK <mail.example.org> ready', '<mail.example.org> ready'],
  ['with half a timestamp', '+OK ready <1896.697170952@', 'ready <1896.697170952@'],
  ['in UTF-8', '+OK gr\\xc3\\xbcezi', 'gr\xfcezi'],
] as const) {
  quirk(`QS-FRAME.9: a greeting ${what}`, `S: ${greeting}`, async ({ connect }) => {
    const client = await connect();
    expect(client.greeting).toBe(shown);
    expect(client.mechanism).toBe('USER');
    expect(await text(client.retrieve(1))).toBe(MESSAGES[0]);
  });
}

for (const timestamp of ['<mail.example.org>', '<a b@c>', '<@>', '<1896.697170952@>', '<a@b', '']) {
  quirk(
    `QS-AUTH.3: ${timestamp || 'nothing'} in the greeting is no timestamp for APOP`,
    `S: +OK ready ${timestamp}`,
    async ({ connect, server }) => {
      const auth = { user: 'ann', password: 'secret', mechanism: 'APOP' };
      await expect(connect({ auth })).rejects.toMatchObject({ code: 'POP3_UNSUPPORTED' });
      expect(server.octets).not.toMatch(SECRETS);
    },
  );
}

quirk(
  'QS-FRAME.9: the greeting is -ERR, which is no failure of the login',
  `S: -ERR [SYS/TEMP] too many connections from your address
   close`,
  async ({ connect, server }) => {
    await expect(connect()).rejects.toMatchObject({
      code: 'POP3_REFUSED',
      responseCode: 'SYS/TEMP',
      serverText: 'too many connections from your address',
      retryable: true,
    });
    expect(server.octets).toBe('');
    expect(server.connections).toHaveLength(1);
  },
);

quirk('QS-FRAME.9: the greeting is -ERR without a word', 'S: -ERR', async ({ connect, server }) => {
  await expect(connect()).rejects.toMatchObject({ code: 'POP3_REFUSED', responseCode: null });
  await server.ended();
  expect(server.octets).toBe('');
});

for (const [what, greeting] of [
  ['another protocol', '220 smtp.example.org ESMTP'],
  ['IMAP', '* OK IMAP4rev1'],
  ['HTTP', 'HTTP/1.1 400 Bad Request'],
  ['an empty line', ''],
] as const) {
  quirk(`the greeting is that of ${what}`, `S: ${greeting}`, async ({ connect, server }) => {
    await expect(connect()).rejects.toMatchObject({ code: 'POP3_PROTOCOL' });
    await server.ended();
    expect(server.octets).toBe('');
  });
}

for (const how of ['close', 'reset']) {
  quirk(
    `QS-AUTH.1: a wrong password ends the connection, by ${how}, behind -ERR`,
    `C: PASS secret
     S: -ERR [AUTH] no
     ${how}`,
    async ({ connect, server }) => {
      await expect(connect()).rejects.toMatchObject({
        code: 'POP3_REFUSED',
        verb: 'PASS',
        responseCode: 'AUTH',
        retryable: false,
      });
      expect(server.connections).toHaveLength(1);
      expect(server.lines).toEqual(['CAPA', 'USER ann', 'PASS secret']);
    },
  );

  quirk(
    `QS-AUTH.1: a wrong password ends the connection, by ${how}, without a word`,
    `C: PASS secret
     ${how}`,
    async ({ connect, server }) => {
      const error = await connect().catch((error: unknown) => error);
      expect(error).toMatchObject({ code: 'POP3_CLOSED', verb: 'PASS' });
      expect((error as Error).message).not.toContain('secret');
      // One try: another could lock the account.
      expect(server.connections).toHaveLength(1);
    },
  );
}

quirk(
  'USER and PASS wait for each other where PIPELINING is not announced',
  '',
  async ({ connect, server }) => {
    await connect();
    expect(server.connections[0]?.mostInFlight).toBe(1);
  },
);

quirk(
  'QS-AUTH.2: USER is refused, and says why',
  `C: USER ann
   S: -ERR use TLS first`,
  async ({ connect, server }) => {
    await expect(connect()).rejects.toMatchObject({
      code: 'POP3_REFUSED',
      verb: 'USER',
      serverText: 'use TLS first',
    });
    expect(server.octets).not.toContain('secret');
  },
);

quirk(
  'a failure of a mechanism is not followed by a weaker one',
  `C: CAPA
   S: +OK
   S: SASL PLAIN LOGIN
   S: USER
   S: .
   C: AUTH PLAIN *
   S: -ERR [AUTH] no`,
  async ({ connect, server }) => {
    await expect(connect()).rejects.toMatchObject({ code: 'POP3_REFUSED', responseCode: 'AUTH' });
    expect(server.lines).toEqual(['CAPA', 'AUTH PLAIN AGFubgBzZWNyZXQ=']);
  },
);

quirk(
  'a server that repeats the password: no error shows it',
  `C: PASS secret
   S: -ERR PASS secret is wrong`,
  async ({ connect }) => {
    const error = await connect().then(
      () => null,
      (error: unknown) => error,
    );
    if (!isPop3Error(error)) throw new Error('no Pop3Error');
    expect(everythingOf(error)).not.toContain('secret');
  },
);

function everythingOf(error: Pop3Error): string {
  return JSON.stringify({ ...error, message: error.message, stack: error.stack, cause: String(error.cause) });
}

quirk(
  'QS-LOCK.2: the maildrop is locked by the session before',
  `C: PASS secret
   S: -ERR [IN-USE] maildrop already locked`,
  async ({ connect }) => {
    await expect(connect()).rejects.toMatchObject({
      code: 'POP3_REFUSED',
      responseCode: 'IN-USE',
      retryable: true,
    });
  },
);

for (const words of [
  'Unable to lock maildrop',
  'mailbox is busy',
  'wait a few minutes',
  'Service temporarily unavailable',
]) {
  quirk(
    `QS-LOCK.1: a server without response codes says in words that a login may work later: ${words}`,
    `C: PASS secret
     S: -ERR ${words}`,
    async ({ connect }) => {
      await expect(connect()).rejects.toMatchObject({
        code: 'POP3_REFUSED',
        responseCode: null,
        serverText: words,
        retryable: true,
      });
    },
  );
}

quirk(
  'QS-LOCK.1: words count for nothing where the server announces response codes',
  `C: CAPA
   S: +OK
   S: USER
   S: RESP-CODES
   S: .
   C: PASS secret
   S: -ERR Unable to lock maildrop`,
  async ({ connect }) => {
    await expect(connect()).rejects.toMatchObject({ code: 'POP3_REFUSED', retryable: false });
  },
);

quirk(
  'QS-GMAIL.1: a user name with a colon goes out as it is',
  `C: USER recent:user@gmail.com
   S: +OK`,
  async ({ connect, server }) => {
    const client = await connect({ auth: { user: 'recent:user@gmail.com', password: 'secret' } });
    expect(server.lines).toContain('USER recent:user@gmail.com');
    await client.quit();
  },
);

quirk(
  'a password with spaces and in UTF-8 goes out as it is',
  raw`C: PASS  two  words \xc3\xa9 \x20
   S: +OK`,
  async ({ connect }) => {
    await connect({ auth: { user: 'ann', password: ' two  words \u00e9  ' } });
  },
);

describe('SASL', () => {
  const announced = (...mechanisms: string[]) => `C: CAPA
     S: +OK
     S: SASL ${mechanisms.join(' ')}
     S: .`;

  quirk(
    'QS-FRAME.8: + without the space',
    `${announced('LOGIN')}
     C: AUTH LOGIN
     S: +
     C> YW5u
     S: +
     C> c2VjcmV0
     S: +OK`,
    async ({ connect }) => {
      const client = await connect({ auth: { user: 'ann', password: 'secret', mechanism: 'LOGIN' } });
      expect(client.mechanism).toBe('LOGIN');
    },
  );

  quirk(
    'text behind + that is no base64',
    `C: AUTH XOAUTH2
     S: + go ahead, please!
     C> dXNlcj1hbm4BYXV0aD1CZWFyZXIgdG9rZW4BAQ==
     S: +OK`,
    async ({ connect }) => {
      const client = await connect({ auth: { user: 'ann', accessToken: 'token' } });
      expect(client.mechanism).toBe('XOAUTH2');
    },
  );

  quirk(
    'QS-EXCH.6: +OK in place of + is not believed',
    `C: AUTH XOAUTH2
     S: +OK`,
    async ({ connect, server }) => {
      const connected = connect({ auth: { user: 'ann', accessToken: 'token' } });
      await expect(connected).rejects.toMatchObject({ code: 'POP3_PROTOCOL', verb: 'AUTH' });
      await server.ended();
      expect(server.lines.at(-1)).toBe('AUTH XOAUTH2');
    },
  );

  quirk(
    'QS-EXCH.1: a protocol error that closes the connection',
    `C: AUTH XOAUTH2
     S: -ERR Protocol error. Connection is closed. 10
     close`,
    async ({ connect, server }) => {
      const connected = connect({ auth: { user: 'ann', accessToken: 'token' } });
      await expect(connected).rejects.toMatchObject({
        code: 'POP3_REFUSED',
        verb: 'AUTH',
        serverText: 'Protocol error. Connection is closed. 10',
      });
      // The token goes out on a line of its own: this is what the server says to one on the AUTH line.
      expect(server.lines.filter((line) => line.startsWith('AUTH'))).toEqual(['AUTH XOAUTH2']);
    },
  );

  quirk(
    'challenges without an end: the exchange is cancelled once, and then the session',
    `C: AUTH XOAUTH2
     S: +
     C> dXNlcj1hbm4BYXV0aD1CZWFyZXIgdG9rZW4BAQ==
     S: + e30=
     C> *
     S: + e30=
     C> *
     S: + e30=
     C> *
     S: + e30=
     C> *
     S: + e30=
     C> *
     S: + e30=
     silence`,
    async ({ connect, server }) => {
      const connected = connect({ auth: { user: 'ann', accessToken: 'token' } });
      await expect(connected).rejects.toSatisfy(isPop3Error);
      await server.ended();
      expect(server.lines.length).toBeLessThan(6);
    },
  );
});

it('a script that the client does not follow fails the test, and says where', async () => {
  const run = against('', {}, async ({ connect }) => {
    const client = await connect();
    await client.command('XTND', 'XMIT').catch(() => undefined);
  });
  await expect(run).rejects.toThrow(
    'connection 1: no script answers "XTND XMIT"; before, the client said CAPA, USER ann, PASS secret',
  );
});
