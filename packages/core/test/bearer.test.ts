import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Refusal, TokenProblem } from '../src/adapter.js';
import {
  OAUTHBEARER,
  oauthBearer,
  oauthBearerClient,
  type SaslClientMechanism,
  type SaslServerMechanism,
  XOAUTH2,
  xoauth2Client,
} from '../src/sasl/index.js';
import { ACCEPTED, Host, REFUSED, respond, talk } from './sasl-dialogue.js';
import { octets } from './stored-message.js';

const MALFORMED = 'refused bad-credentials: malformed response';
const TOKEN = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==';
const LONG = 'x'.repeat(20_000);

function problem(token: TokenProblem): Refusal {
  return { type: 'refused', reason: 'bad-credentials', text: 'token is not accepted', token };
}
const INVALID = problem({
  status: 'invalid_token',
  scope: 'example_scope',
  openidConfiguration: 'https://example.com/.well-known/openid-configuration',
});

async function asked(mechanism: SaslServerMechanism, response: string): Promise<unknown> {
  const host = new Host();
  const outcome = await respond(mechanism, host, [response]);
  expect(outcome).toBe('accepted');
  return host.asked;
}
const credentials = (username: string, token = TOKEN) => [{ type: 'token', username, token }];

describe('OAUTHBEARER', () => {
  const pairs = `\x01host=server.example.com\x01port=143\x01auth=Bearer ${TOKEN}\x01\x01`;

  it('has the vector of RFC 7628 section 4.1', async () => {
    const vector =
      'bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB';
    const response = Buffer.from(vector, 'base64').toString('latin1');
    expect(response).toBe(`n,a=user@example.com,${pairs}`);
    expect(await asked(OAUTHBEARER, response)).toEqual(credentials('user@example.com'));
    const client = oauthBearerClient({
      username: 'user@example.com',
      token: TOKEN,
      host: 'server.example.com',
      port: 143,
    });
    expect(await talk(client, OAUTHBEARER, new Host())).toEqual({
      said: [`C: ${response}`],
      outcome: 'accepted',
      failed: null,
      complete: true,
    });
  });

  it('has the failure of RFC 7628 section 4.3: no token, and told where to get one', async () => {
    const host = new Host({ answer: () => INVALID });
    const response = 'n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=\x01\x01';
    expect(await respond(OAUTHBEARER, host, [response])).toBe(
      '+ {"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-configuration"}',
    );
    expect(await respond(OAUTHBEARER, host, [response, '\x01'])).toBe(
      'refused bad-credentials: token is not accepted',
    );
    expect(host.asked).toEqual([
      ...credentials('user@example.com', ''),
      ...credentials('user@example.com', ''),
    ]);
  });

  it('accepts nobody without a token, whatever the authenticator says', async () => {
    expect(await respond(OAUTHBEARER, new Host(), [`n,,\x01auth=\x01\x01`])).toBe(MALFORMED);
  });

  it('says only what is known of the problem', async () => {
    const host = new Host({ answer: () => problem({ status: 'insufficient_scope' }) });
    expect(await respond(OAUTHBEARER, host, [`n,,${pairs}`])).toBe('+ {"status":"insufficient_scope"}');
  });

  it('refuses after the challenge, whatever the client answers', async () => {
    for (const answer of ['\x01', '', `n,,${pairs}`]) {
      const host = new Host({ answer: () => INVALID });
      expect(await respond(OAUTHBEARER, host, [`n,,${pairs}`, answer])).toBe(
        'refused bad-credentials: token is not accepted',
      );
      expect(host.asked).toHaveLength(1);
    }
  });

  it('passes a refusal that is not about the token on at once', async () => {
    const host = new Host({ answer: () => ({ type: 'refused', reason: 'temporary', text: 'later' }) });
    expect(await respond(OAUTHBEARER, host, [`n,,${pairs}`])).toBe('refused temporary: later');
  });

  it('ignores which server the client means, unless it is told who it is', async () => {
    expect(await asked(OAUTHBEARER, `n,,${pairs}`)).toEqual(credentials(''));
    const known = oauthBearer({ host: 'Server.Example.com', port: 143 });
    expect(known.name).toBe('OAUTHBEARER');
    expect(await asked(known, `n,,${pairs}`)).toEqual(credentials(''));
    expect(await asked(known, `n,,\x01auth=Bearer ${TOKEN}\x01\x01`)).toEqual(credentials(''));
    for (const other of [pairs.replace('server', 'other'), pairs.replace('143', '110')]) {
      const host = new Host();
      expect(await respond(known, host, [`n,,${other}`])).toBe('+ {"status":"invalid_request"}');
      expect(await respond(known, host, [`n,,${other}`, '\x01'])).toBe('refused bad-credentials');
      expect(host.asked).toEqual([]);
    }
  });

  const taken: readonly (readonly [what: string, response: string, credentials: unknown])[] = [
    ['no name', `n,,${pairs}`, credentials('')],
    ['a client that could bind', `y,,${pairs}`, credentials('')],
    ['a name with escapes', `n,a=a=2Cb=3D,${pairs}`, credentials('a,b=')],
    ['a name that has to be prepared', `n,a=\xe2\x85\xa8,${pairs}`, credentials('IX')],
    ['the scheme in any case', `n,,\x01auth=bEARER ${TOKEN}\x01\x01`, credentials('')],
    [
      'keys that nobody knows',
      `n,,\x01mthd=POST\x01auth=Bearer ${TOKEN}\x01qs=a=b c\x01\x01`,
      credentials(''),
    ],
    ['a token of 20 000 octets', `n,,\x01auth=Bearer ${LONG}\x01\x01`, credentials('', LONG)],
    ['characters that RFC 6750 does not have', `n,,\x01auth=Bearer 1|a!\x01\x01`, credentials('', '1|a!')],
  ];
  for (const [what, response, expected] of taken) {
    it(`takes ${what}`, async () => expect(await asked(OAUTHBEARER, response)).toEqual(expected));
  }

  const malformed: readonly (readonly [what: string, response: string])[] = [
    ['nothing', ''],
    ['^A alone', '\x01'],
    ['channel binding', `p=tls-exporter,,${pairs}`],
    ['no header', pairs],
    ['no ^A behind the header', `n,,${pairs.slice(1)}`],
    ['no ^A at the end', `n,,${pairs.slice(0, -1)}`],
    ['something behind the end', `n,,${pairs}x`],
    ['no token', 'n,,\x01host=x\x01\x01'],
    ['no pairs', 'n,,\x01\x01'],
    ['two tokens', `n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01`],
    ['another scheme', `n,,\x01auth=Basic ${TOKEN}\x01\x01`],
    ['a scheme without a token', 'n,,\x01auth=Bearer \x01\x01'],
    ['two words for a token', 'n,,\x01auth=Bearer a b\x01\x01'],
    ['a token with a line end', 'n,,\x01auth=Bearer a\nb\x01\x01'],
    ['a token that is not ASCII', 'n,,\x01auth=Bearer \xc3\xa9\x01\x01'],
    ['a pair without a key', 'n,,\x01=x\x01auth=Bearer a\x01\x01'],
    ['a pair without a value', 'n,,\x01host\x01auth=Bearer a\x01\x01'],
    ['a key with digits', 'n,,\x01h1=x\x01auth=Bearer a\x01\x01'],
    ['a value with NUL', 'n,,\x01host=\0\x01auth=Bearer a\x01\x01'],
    ['what is not UTF-8', 'n,,\x01host=\xff\x01auth=Bearer a\x01\x01'],
    ['a name with a lone equals sign', `n,a=a=b,${pairs}`],
    ['a name of 256 octets', `n,a=${'x'.repeat(256)},${pairs}`],
    ['a name that SASLprep prohibits', `n,a=\x07,${pairs}`],
  ];
  for (const [what, response] of malformed) {
    it(`refuses ${what}, and asks nobody`, async () => {
      const host = new Host();
      expect(await respond(OAUTHBEARER, host, [response])).toBe(MALFORMED);
      expect(host.asked).toEqual([]);
    });
  }

  it('asks for a response with an empty challenge', async () => {
    expect(await respond(OAUTHBEARER, new Host(), [null])).toBe('+ ');
  });

  it('is for encrypted connections', () => expect(OAUTHBEARER.plaintext).toBe(true));
});

describe('XOAUTH2', () => {
  const response = 'user=user\x01auth=Bearer mF_9.B5f-4.1JqM\x01\x01';
  const expected = credentials('user', 'mF_9.B5f-4.1JqM');

  it('has the response that curl sends', async () => {
    const vector = 'dXNlcj11c2VyAWF1dGg9QmVhcmVyIG1GXzkuQjVmLTQuMUpxTQEB';
    expect(Buffer.from(vector, 'base64').toString()).toBe(response);
    expect(await asked(XOAUTH2, response)).toEqual(expected);
    const client = xoauth2Client({ username: 'user', token: 'mF_9.B5f-4.1JqM' });
    expect(await talk(client, XOAUTH2, new Host())).toEqual({
      said: [`C: ${response}`],
      outcome: 'accepted',
      failed: null,
      complete: true,
    });
  });

  it('takes one line and two', async () => {
    const host = new Host();
    expect(await respond(XOAUTH2, host, [null])).toBe('+ ');
    expect(await respond(XOAUTH2, host, [null, response])).toBe('accepted');
    expect(await respond(XOAUTH2, host, [response])).toBe('accepted');
    expect(host.asked).toEqual([...expected, ...expected]);
  });

  const statuses: readonly (readonly [TokenProblem['status'], string])[] = [
    ['invalid_request', '400'],
    ['invalid_token', '401'],
    ['insufficient_scope', '403'],
  ];
  for (const [status, number] of statuses) {
    it(`says ${number} for ${status}, then refuses`, async () => {
      const host = new Host({ answer: () => problem({ status, scope: 'mail', openidConfiguration: 'x' }) });
      const challenge = `+ {"status":"${number}","schemes":"Bearer","scope":"mail"}`;
      expect(await respond(XOAUTH2, host, [response])).toBe(challenge);
      for (const answer of ['', '\x01']) {
        expect(await respond(XOAUTH2, host, [response, answer])).toBe(
          'refused bad-credentials: token is not accepted',
        );
      }
    });
  }

  it('leaves the user to the token where none is named', async () => {
    expect(await asked(XOAUTH2, response.replace('user=user\x01', ''))).toEqual(
      credentials('', 'mF_9.B5f-4.1JqM'),
    );
    expect(await asked(XOAUTH2, response.replace('user=user', 'user='))).toEqual(
      credentials('', 'mF_9.B5f-4.1JqM'),
    );
  });

  const malformed: readonly (readonly [what: string, response: string])[] = [
    ['nothing', ''],
    ['no token', 'user=user\x01\x01'],
    ['another scheme', response.replace('Bearer', 'Basic')],
    ['one ^A at the end', response.slice(0, -1)],
    ['two users', `user=a\x01${response}`],
    ['a name that SASLprep prohibits', response.replace('user=user', 'user=\xee\x80\x80')],
    ['a name of which SASLprep leaves nothing', response.replace('user=user', 'user=\xc2\xad')],
    ['what is not UTF-8', response.replace('user=user', 'user=\xff')],
    ['a name of 256 octets', response.replace('user=user', `user=${'x'.repeat(256)}`)],
    ['the form of OAUTHBEARER', `n,,\x01${response}`],
  ];
  for (const [what, text] of malformed) {
    it(`refuses ${what}, and asks nobody`, async () => {
      const host = new Host();
      expect(await respond(XOAUTH2, host, [text])).toBe(MALFORMED);
      expect(host.asked).toEqual([]);
    });
  }

  it('is for encrypted connections', () => expect(XOAUTH2.plaintext).toBe(true));
});

describe('the clients', () => {
  const clients: readonly (readonly [
    SaslClientMechanism,
    SaslServerMechanism,
    answer: string,
    challenge: string,
  ])[] = [
    [oauthBearerClient({ token: TOKEN }), OAUTHBEARER, '\x01', '{"status":"invalid_token"}'],
    [xoauth2Client({ username: 'ann', token: TOKEN }), XOAUTH2, '', '{"status":"401","schemes":"Bearer"}'],
  ];
  for (const [client, server, answer, challenge] of clients) {
    it(`hear what is wrong, agree to it and believe no +OK: ${client.name}`, async () => {
      const host = new Host({ answer: () => problem({ status: 'invalid_token' }) });
      const dialogue = await talk(client, server, host);
      expect(dialogue.said.slice(1)).toEqual([`S: ${challenge}`, `C: ${answer}`]);
      expect(dialogue).toMatchObject({
        outcome: 'refused bad-credentials: token is not accepted',
        failed: null,
        complete: false,
      });
      const exchange = client.start();
      expect(exchange.problem).toBeNull();
      await exchange.step(null);
      expect([exchange.problem, exchange.complete]).toEqual([null, true]);
      await exchange.step(octets(challenge));
      expect([exchange.problem, exchange.complete]).toEqual([challenge, false]);
      expect(await exchange.step(octets(challenge))).toMatchObject({ type: 'failed' });
      expect(exchange.complete).toBe(false);
    });

    it(`are refused without a challenge: ${client.name}`, async () => {
      const dialogue = await talk(client, server, new Host({ answer: () => REFUSED }));
      expect(dialogue).toMatchObject({ outcome: 'refused bad-credentials', failed: null });
    });

    it(`wait for an answer that comes later: ${client.name}`, async () => {
      const dialogue = await talk(client, server, new Host({ answer: async () => ACCEPTED }));
      expect(dialogue).toMatchObject({ outcome: 'accepted', complete: true });
    });

    it(`show no token to those who print them: ${client.name}`, () => {
      expect(client.plaintext).toBe(true);
      expect(inspect([client, client.start()], { depth: 9 })).not.toContain(TOKEN);
    });
  }

  it('say nothing of the server unless they are told to', async () => {
    const { said } = await talk(oauthBearerClient({ token: 'x' }), OAUTHBEARER, new Host());
    expect(said).toEqual(['C: n,,\x01auth=Bearer x\x01\x01']);
  });

  it('throw for what cannot be sent, without naming the token', () => {
    for (const token of ['', 'to ken', 'tok\x01en', 'tokén']) {
      const text = 'A token is printable ASCII without spaces, and not empty.';
      expect(() => oauthBearerClient({ token })).toThrow(text);
      expect(() => xoauth2Client({ username: 'ann', token })).toThrow(text);
    }
    expect(() => oauthBearerClient({ token: 'x', username: '\0' })).toThrow('The user name holds NUL.');
    expect(() => oauthBearerClient({ token: 'x', host: 'a\x01b' })).toThrow('A host is printable ASCII');
    expect(() => xoauth2Client({ username: '', token: 'x' })).toThrow('The user name is empty.');
    expect(() => xoauth2Client({ username: 'a\x01', token: 'x' })).toThrow('The user name holds ^A.');
  });
});
