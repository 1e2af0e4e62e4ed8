import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { cramMd5, cramMd5Client, cramMd5Digest, verifyCramMd5 } from '../src/sasl/index.js';
import { hmacMd5 } from './node-hashes.js';
import { Host, REFUSED, respond, talk } from './sasl-dialogue.js';
import { octets } from './stored-message.js';

/** RFC 2195 section 2. */
const CHALLENGE = '<1896.697170952@postoffice.reston.mci.net>';
const SECRET = 'tanstaaftanstaaf';
const DIGEST = 'b913a602c7eda7a495b4e6e7334d3890';

const server = cramMd5({ challenge: () => CHALLENGE });
const client = cramMd5Client({ username: 'tim', password: SECRET, hmacMd5 });
const MALFORMED = 'refused bad-credentials: malformed response';

describe('the server', () => {
  const asked = (username: string, digest = DIGEST) => [
    { type: 'cram-md5', username, challenge: CHALLENGE, digest },
  ];

  it('has the exchange of RFC 2195', async () => {
    const host = new Host();
    expect(await talk(client, server, host)).toEqual({
      said: [`S: ${CHALLENGE}`, `C: tim ${DIGEST}`],
      outcome: 'accepted',
      failed: null,
      complete: true,
    });
    expect(host.asked).toEqual(asked('tim'));
  });

  it('speaks first: a response to nothing is refused', async () => {
    for (const initialResponse of ['', `tim ${DIGEST}`]) {
      const host = new Host();
      expect(await respond(server, host, [initialResponse])).toBe(MALFORMED);
      expect(host.asked).toEqual([]);
    }
  });

  it('asks something else each time', async () => {
    let count = 0;
    const counting = cramMd5({ challenge: () => `<${++count}@host>` });
    expect(await respond(counting, new Host(), [null])).toBe('+ <1@host>');
    expect(await respond(counting, new Host(), [null])).toBe('+ <2@host>');
  });

  it('checks the digest against the challenge of this exchange, so that an old one is worth nothing', async () => {
    const host = new Host({
      answer: (credentials) =>
        credentials.type === 'cram-md5' && verifyCramMd5(hmacMd5, credentials, SECRET)
          ? { type: 'accepted', identity: { maildrop: 'tim', username: 'tim' } }
          : REFUSED,
    });
    expect(await respond(server, host, [null, `tim ${DIGEST}`])).toBe('accepted');
    const next = cramMd5({ challenge: () => '<1897.697170953@postoffice.reston.mci.net>' });
    expect(await respond(next, host, [null, `tim ${DIGEST}`])).toBe('refused bad-credentials');
  });

  const responses: readonly (readonly [what: string, response: string, credentials: unknown])[] = [
    ['a name with spaces', `tim the enchanter ${DIGEST}`, asked('tim the enchanter')],
    ['a name of UTF-8', `j\xc3\xb6rg ${DIGEST}`, asked('jörg')],
    ['a digest in upper case', `tim ${DIGEST.toUpperCase()}`, asked('tim')],
  ];
  for (const [what, response, credentials] of responses) {
    it(`takes ${what}`, async () => {
      const host = new Host();
      await respond(server, host, [null, response]);
      expect(host.asked).toEqual(credentials);
    });
  }

  const malformed: readonly (readonly [what: string, response: string])[] = [
    ['nothing', ''],
    ['no digest', 'tim'],
    ['no name', ` ${DIGEST}`],
    ['only a digest', DIGEST],
    ['a digest that is too short', `tim ${DIGEST.slice(1)}`],
    ['a digest that is too long', `tim ${DIGEST}0`],
    ['a digest that is none', `tim ${DIGEST.replace('b', 'g')}`],
    ['a space at the end', `tim ${DIGEST} `],
    ['a line end', `tim ${DIGEST}\n`],
    ['a name with a line end', `t\nim ${DIGEST}`],
    ['a name with NUL', `t\0im ${DIGEST}`],
    ['a name that is not UTF-8', `\xff ${DIGEST}`],
    ['a name of 256 octets', `${'x'.repeat(256)} ${DIGEST}`],
  ];
  for (const [what, response] of malformed) {
    it(`refuses ${what}`, async () => {
      const host = new Host();
      expect(await respond(server, host, [null, response])).toBe(MALFORMED);
      expect(host.asked).toEqual([]);
    });
  }
});

describe('the client', () => {
  it('says nothing before it is asked', async () => {
    const exchange = client.start();
    expect(await exchange.step(null)).toEqual({ type: 'response', response: null });
    expect(exchange.complete).toBe(false);
  });

  it('answers once', async () => {
    const exchange = client.start();
    await exchange.step(octets(CHALLENGE));
    expect(exchange.complete).toBe(true);
    expect(await exchange.step(octets(CHALLENGE))).toMatchObject({ type: 'failed' });
    expect(exchange.complete).toBe(false);
  });

  it('leaves on a challenge that is not text', async () => {
    const exchange = client.start();
    expect(await exchange.step(octets('\xff'))).toMatchObject({ type: 'failed' });
    expect(exchange.complete).toBe(false);
  });

  it('throws for what cannot be sent, and shows no password', () => {
    expect(() => cramMd5Client({ username: '', password: SECRET, hmacMd5 })).toThrow(
      'The user name is empty.',
    );
    expect(() => cramMd5Client({ username: 'tim', password: '', hmacMd5 })).toThrow('The password is empty.');
    expect(() => cramMd5Client({ username: 'tim\0', password: SECRET, hmacMd5 })).toThrow(
      'The user name holds NUL.',
    );
    expect(inspect([client, client.start()], { depth: 9 })).not.toContain(SECRET);
  });
});

describe('verifyCramMd5', () => {
  it('accepts the digest of the secret and no other', () => {
    const verify = (digest: string, secret = SECRET, challenge = CHALLENGE) =>
      verifyCramMd5(hmacMd5, { challenge, digest }, secret);
    expect(cramMd5Digest(hmacMd5, CHALLENGE, SECRET)).toBe(DIGEST);
    expect(verify(DIGEST)).toBe(true);
    expect(verify(DIGEST, `${SECRET}x`)).toBe(false);
    expect(verify(DIGEST, SECRET, `${CHALLENGE}x`)).toBe(false);
    expect(verify(DIGEST.replace('b', 'c'))).toBe(false);
    expect(verify(DIGEST.slice(1))).toBe(false);
    expect(verify(`${DIGEST}0`)).toBe(false);
    expect(verify('')).toBe(false);
  });
});
