import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ScramForm, ScramKeys } from '../src/adapter.js';
import { isPop3Error } from '../src/errors.js';
import {
  type SaslServerMechanism,
  type ScramClientOptions,
  type ScramOptions,
  scram,
  scramClient,
  scramKeysOf,
  usableMechanisms,
} from '../src/sasl/index.js';
import { HASHES } from './node-hashes.js';
import {
  ACCEPTED,
  type Bindings,
  Host,
  type Interference,
  peerWith,
  REFUSED,
  respond,
  talk,
} from './sasl-dialogue.js';

const FORM = 'scram-sha-256';
const CRYPTO = HASHES[FORM];
const CLIENT_NONCE = 'rOprNGfwEbeRWgbNEkqO';
const SERVER_NONCE = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const NONCE = CLIENT_NONCE + SERVER_NONCE;
const SALT = 'W22ZaJ0SNY7soEsUEjb6gQ==';
const EXPORTED = Uint8Array.from({ length: 32 }, (_, i) => i);
const BINDINGS: Bindings = { 'tls-exporter': EXPORTED };

async function keysOf(password: string, form: ScramForm = FORM, salt = SALT): Promise<ScramKeys> {
  return scramKeysOf(HASHES[form], password, Buffer.from(salt, 'base64'), 4096);
}
const KEYS = await keysOf('pencil');

function hostWith(options: ConstructorParameters<typeof Host>[0] = {}): Host {
  return new Host({ keys: () => KEYS, ...options });
}

function serverWith(options: Partial<ScramOptions> = {}): {
  plus: SaslServerMechanism;
  bare: SaslServerMechanism;
} {
  const [plus, bare] = scram(FORM, { crypto: CRYPTO, nonce: () => SERVER_NONCE, ...options });
  return { plus, bare };
}

function clientWith(options: Partial<ScramClientOptions> = {}) {
  return scramClient(FORM, {
    username: 'user',
    password: 'pencil',
    crypto: CRYPTO,
    nonce: () => CLIENT_NONCE,
    ...options,
  });
}

const bound = (type: 'tls-exporter' | 'tls-server-end-point' | 'tls-unique', octets = EXPORTED) => ({
  channelBinding: { type, octets },
});

describe('vectors', () => {
  const RFC_5802 = {
    clientNonce: 'fyko+d2lbbFgONRv9qkxdawL',
    serverNonce: '3rfcNHYJY1ZVvWVs7j',
    salt: 'QSXCR+Q6sek8bf92',
  };
  const RFC_7677 = { clientNonce: CLIENT_NONCE, serverNonce: SERVER_NONCE, salt: SALT };
  const vectors: readonly (readonly [
    what: string,
    form: ScramForm,
    given: typeof RFC_5802,
    said: readonly string[],
  ])[] = [
    [
      'RFC 5802 section 5',
      'scram-sha-1',
      RFC_5802,
      [
        'C: n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
        'S: r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
        'C: c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
        'S: v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
        'C: ',
      ],
    ],
    [
      'RFC 7677 section 3',
      'scram-sha-256',
      RFC_7677,
      [
        'C: n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
        `S: r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
        `C: c=biws,r=${NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
        'S: v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
        'C: ',
      ],
    ],
    [
      'the same with SHA-512, computed by the hashlib of Python',
      'scram-sha-512',
      RFC_7677,
      [
        'C: n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
        `S: r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
        `C: c=biws,r=${NONCE},p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==`,
        'S: v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==',
        'C: ',
      ],
    ],
  ];
  for (const [what, form, { clientNonce, serverNonce, salt }, said] of vectors) {
    it(`has the exchange of ${what}`, async () => {
      const crypto = HASHES[form];
      const client = scramClient(form, {
        username: 'user',
        password: 'pencil',
        crypto,
        nonce: () => clientNonce,
      });
      const [, bare] = scram(form, { crypto, nonce: () => serverNonce });
      const keys = await keysOf('pencil', form, salt);
      const host = new Host({ keys: () => keys });
      expect(await talk(client, bare, host)).toEqual({
        said,
        outcome: 'accepted',
        failed: null,
        complete: true,
      });
      expect(host.asked).toEqual([{ type: form, username: 'user', authorizationId: '', proven: true }]);
    });
  }

  it('has an exchange with channel binding, an authorisation id and names to escape, computed by Python', async () => {
    const host = hostWith({ bindings: BINDINGS });
    const client = clientWith({ username: 'a=a', authorizationId: 'b,b', ...bound('tls-exporter') });
    expect(client.name).toBe('SCRAM-SHA-256-PLUS');
    expect(await talk(client, serverWith().plus, host)).toEqual({
      said: [
        'C: p=tls-exporter,a=b=2Cb,n=a=3Da,r=rOprNGfwEbeRWgbNEkqO',
        `S: r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
        `C: c=cD10bHMtZXhwb3J0ZXIsYT1iPTJDYiwAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw==,r=${NONCE},p=JUNekDHRHYIZs9UiqFnOxoZYZOw9D7CGrDskVxlnyoI=`,
        'S: v=wByT4BuBnLFGvQB9D0+DMTBaEsblWYGUJEP/RCsbCmE=',
        'C: ',
      ],
      outcome: 'accepted',
      failed: null,
      complete: true,
    });
    expect(host.asked).toEqual([{ type: FORM, username: 'a=a', authorizationId: 'b,b', proven: true }]);
  });
});

describe('the mechanisms', () => {
  const named = (options: Partial<ScramOptions>, bindings: Bindings | null) => {
    const { plus, bare } = serverWith(options);
    const context = { signal: new AbortController().signal, peer: peerWith(bindings) };
    const authenticator = { accepts: [FORM], authenticate: () => ACCEPTED } as const;
    return usableMechanisms([plus, bare], authenticator, context).map(({ name }) => name);
  };

  it('are both on offer where the connection can bind', () => {
    for (const type of ['tls-exporter', 'tls-server-end-point', 'tls-unique'] as const) {
      expect(named({}, { [type]: EXPORTED })).toEqual(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256']);
    }
  });

  it('are the bare one alone where it cannot', () => {
    expect(named({}, null)).toEqual(['SCRAM-SHA-256']);
    expect(named({}, {})).toEqual(['SCRAM-SHA-256']);
  });

  it('are the bare one alone for who wants it so', () => {
    expect(named({ channelBinding: false }, BINDINGS)).toEqual(['SCRAM-SHA-256']);
  });

  it('send no password, so that they may be offered in the clear', () => {
    expect(serverWith().plus.plaintext || serverWith().bare.plaintext).toBe(false);
  });
});

describe('the server', () => {
  const FIRST = `n,,n=user,r=${CLIENT_NONCE}`;
  const CHALLENGE = `+ r=${NONCE},s=${SALT},i=4096`;
  const FINAL = `c=biws,r=${NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
  const SIGNATURE = '+ v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';
  const MALFORMED = 'refused bad-credentials: malformed response';

  it('asks for the first message with an empty challenge', async () => {
    expect(await respond(serverWith().bare, hostWith(), [null])).toBe('+ ');
    expect(await respond(serverWith().bare, hostWith(), [null, FIRST])).toBe(CHALLENGE);
  });

  it('accepts when the client has said that it agrees with the signature', async () => {
    expect(await respond(serverWith().bare, hostWith(), [FIRST, FINAL])).toBe(SIGNATURE);
    expect(await respond(serverWith().bare, hostWith(), [FIRST, FINAL, ''])).toBe('accepted');
  });

  it('refuses data behind the signature', async () => {
    expect(await respond(serverWith().bare, hostWith(), [FIRST, FINAL, 'x'])).toBe(MALFORMED);
  });

  it('is over after its last word, whatever it was', async () => {
    expect(await respond(serverWith().bare, hostWith(), [FIRST, FINAL, '', ''])).toBe(MALFORMED);
    expect(await respond(serverWith().bare, hostWith(), ['x', FIRST])).toBe(MALFORMED);
    const host = hostWith();
    const wrong = FINAL.replace('p=d', 'p=e');
    expect(await respond(serverWith().bare, host, [FIRST, wrong, FINAL])).toBe(MALFORMED);
    expect(host.asked).toHaveLength(1);
  });

  const firsts: readonly (readonly [what: string, message: string, outcome: string])[] = [
    ['nothing', '', MALFORMED],
    ['another flag', `x,,n=user,r=${CLIENT_NONCE}`, MALFORMED],
    ['no header', `n=user,r=${CLIENT_NONCE}`, MALFORMED],
    ['half a header', `n,n=user,r=${CLIENT_NONCE}`, MALFORMED],
    ['a header of GSS-API that is not standard', `F,n,,n=user,r=${CLIENT_NONCE}`, MALFORMED],
    ['something else than an authorisation id', `n,b=x,n=user,r=${CLIENT_NONCE}`, MALFORMED],
    ['an authorisation id that is named and empty', `n,a=,n=user,r=${CLIENT_NONCE}`, MALFORMED],
    ['an authorisation id with a lone equals sign', `n,a=a=b,n=user,r=${CLIENT_NONCE}`, MALFORMED],
    ['an authorisation id that SASLprep prohibits', `n,a=\xee\x80\x80,n=user,r=${CLIENT_NONCE}`, MALFORMED],
    [
      'an authorisation id of which SASLprep leaves nothing',
      `n,a=\xc2\xad,n=user,r=${CLIENT_NONCE}`,
      MALFORMED,
    ],
    ['no name', `n,,n=,r=${CLIENT_NONCE}`, MALFORMED],
    ['a name with a lone equals sign', `n,,n=us=er,r=${CLIENT_NONCE}`, MALFORMED],
    ['a name with another escape', `n,,n=us=2cer,r=${CLIENT_NONCE}`, MALFORMED],
    ['a name with NUL', `n,,n=us\0er,r=${CLIENT_NONCE}`, MALFORMED],
    ['a name that SASLprep prohibits', `n,,n=us\x07er,r=${CLIENT_NONCE}`, MALFORMED],
    ['a name of which SASLprep leaves nothing', `n,,n=\xc2\xad,r=${CLIENT_NONCE}`, MALFORMED],
    ['a name of 256 octets', `n,,n=${'x'.repeat(256)},r=${CLIENT_NONCE}`, MALFORMED],
    ['an authorisation id of 256 octets', `n,a=${'x'.repeat(256)},n=user,r=${CLIENT_NONCE}`, MALFORMED],
    ['a name that is not UTF-8', `n,,n=\xff,r=${CLIENT_NONCE}`, MALFORMED],
    ['no nonce', 'n,,n=user', MALFORMED],
    ['an empty nonce', 'n,,n=user,r=', MALFORMED],
    ['a nonce with a space', 'n,,n=user,r=a b', MALFORMED],
    ['a nonce that is not ASCII', 'n,,n=user,r=\xc3\xa9', MALFORMED],
    ['the nonce before the name', `n,,r=${CLIENT_NONCE},n=user`, MALFORMED],
    ['an extension that has to be known', `n,,m=x,n=user,r=${CLIENT_NONCE}`, MALFORMED],
    ['an extension that has to be known, at the end', `n,,n=user,r=${CLIENT_NONCE},m=x`, MALFORMED],
    ['a second nonce', `n,,n=user,r=${CLIENT_NONCE},r=x`, MALFORMED],
    ['a second name', `n,,n=user,r=${CLIENT_NONCE},n=x`, MALFORMED],
    ['what is no extension', `n,,n=user,r=${CLIENT_NONCE},xy=z`, MALFORMED],
    ['an empty extension', `n,,n=user,r=${CLIENT_NONCE},x=`, MALFORMED],
    ['a comma at the end', `n,,n=user,r=${CLIENT_NONCE},`, MALFORMED],
    ['a line end', `n,,n=user,r=${CLIENT_NONCE}\n`, MALFORMED],
    ['more than 4096 octets', `n,,n=user,r=${'x'.repeat(4_085)}`, MALFORMED],
    [
      'channel binding, which belongs to -PLUS',
      `p=tls-exporter,,n=user,r=${CLIENT_NONCE}`,
      'refused bad-credentials: channel binding belongs to -PLUS',
    ],
  ];
  for (const [what, message, outcome] of firsts) {
    it(`refuses a first message with ${what}`, async () => {
      const host = hostWith({ keys: () => expect.unreachable() });
      expect(await respond(serverWith().bare, host, [message])).toBe(outcome);
    });
  }

  it('takes a first message of 4096 octets', async () => {
    const message = `n,,n=user,r=${'x'.repeat(4_084)}`;
    expect(message).toHaveLength(4_096);
    expect(await respond(serverWith().bare, hostWith(), [message])).toMatch(/^\+ r=x/);
  });

  it('ignores extensions that it does not know, and signs them', async () => {
    const { bare } = serverWith();
    const said = await respond(bare, hostWith(), [`${FIRST},x=1,Y=a=b`]);
    expect(said).toBe(CHALLENGE);
    // The proof is one for a dialogue without them.
    const host = hostWith();
    expect(await respond(bare, host, [`${FIRST},x=1`, FINAL])).toBe('refused bad-credentials');
    expect(host.asked).toEqual([expect.objectContaining({ proven: false })]);
  });

  it('asks for the keys of the prepared name, of its form', async () => {
    const asked: unknown[] = [];
    const host = hostWith();
    const seen = new Proxy(host, {
      get: (target, key) =>
        key === 'scramKeys'
          ? (...all: unknown[]) => {
              asked.push(...all);
              return KEYS;
            }
          : Reflect.get(target, key),
    });
    await respond(serverWith().bare, seen, [`n,,n=\xe2\x85\xa8=2C=3D,r=${CLIENT_NONCE}`]);
    expect(asked).toEqual(['IX,=', FORM]);
  });

  it('passes on the authorisation id, prepared', async () => {
    const host = hostWith();
    const first = `n,a=\xe2\x85\xa8=2Cx,n=user,r=${CLIENT_NONCE}`;
    const gs2 = Buffer.from('n,a=\xe2\x85\xa8=2Cx,', 'latin1').toString('base64');
    expect(await respond(serverWith().bare, host, [first, FINAL.replace('biws', gs2)])).toBe(
      'refused bad-credentials',
    );
    expect(host.asked).toEqual([{ type: FORM, username: 'user', authorizationId: 'IX,x', proven: false }]);
  });

  it('passes on what the authenticator says in place of keys', async () => {
    const host = hostWith({ keys: () => ({ type: 'refused', reason: 'temporary', text: 'later' }) });
    expect(await respond(serverWith().bare, host, [FIRST])).toBe('refused temporary: later');
  });

  const finals: readonly (readonly [what: string, message: string, outcome: string])[] = [
    ['nothing', '', MALFORMED],
    [
      'another binding',
      FINAL.replace('c=biws', 'c=eSws'),
      'refused bad-credentials: channel binding does not match',
    ],
    [
      'the same binding in other base64',
      FINAL.replace('c=biws', 'c=biws='),
      'refused bad-credentials: channel binding does not match',
    ],
    ['no binding', FINAL.replace('c=biws,', ''), MALFORMED],
    ['an empty binding', FINAL.replace('c=biws', 'c='), MALFORMED],
    ['the nonce of the client alone', FINAL.replace(NONCE, CLIENT_NONCE), MALFORMED],
    ['another nonce', FINAL.replace(NONCE, `${NONCE}x`), MALFORMED],
    ['no nonce', FINAL.replace(`r=${NONCE},`, ''), MALFORMED],
    ['no proof', FINAL.replace(/,p=.*/, ''), MALFORMED],
    ['a proof that is not base64', FINAL.replace('p=d', 'p=='), MALFORMED],
    ['a comma behind the proof', `${FINAL},`, MALFORMED],
    ['an extension behind the proof', `${FINAL},x=y`, MALFORMED],
    ['an extension that has to be known', FINAL.replace(',p=', ',m=x,p='), MALFORMED],
    ['a second nonce', FINAL.replace(',p=', ',r=x,p='), MALFORMED],
    ['its attributes in another order', FINAL.replace(/^(c=biws),(r=[^,]+)/, '$2,$1'), MALFORMED],
    ['more than 4096 octets', FINAL.replace(',p=', `,x=${'y'.repeat(4_096)},p=`), MALFORMED],
  ];
  for (const [what, message, outcome] of finals) {
    it(`refuses a last message with ${what}, and asks nobody`, async () => {
      const host = hostWith();
      expect(await respond(serverWith().bare, host, [FIRST, message])).toBe(outcome);
      expect(host.asked).toEqual([]);
    });
  }

  const unproven: readonly (readonly [what: string, message: string])[] = [
    ['another proof', FINAL.replace('p=d', 'p=e')],
    ['a proof that is too short', FINAL.replace(/p=.*/, 'p=dHzb')],
    ['a proof that is too long', FINAL.replace(/p=(.*)$/, 'p=dHzb$1')],
    ['an extension that was not signed', FINAL.replace(',p=', ',x=y,p=')],
  ];
  for (const [what, message] of unproven) {
    it(`refuses ${what}, and lets the failure be counted`, async () => {
      const host = hostWith();
      expect(await respond(serverWith().bare, host, [FIRST, message])).toBe('refused bad-credentials');
      expect(host.asked).toEqual([{ type: FORM, username: 'user', authorizationId: '', proven: false }]);
    });
  }

  it('passes on the refusal of somebody who has proven, and of somebody who has not', async () => {
    const answer = () => ({ type: 'refused', reason: 'login-delay', text: 'wait' }) as const;
    const { bare } = serverWith();
    expect(await respond(bare, hostWith({ answer }), [FIRST, FINAL])).toBe('refused login-delay: wait');
    const wrong = FINAL.replace('p=d', 'p=e');
    expect(await respond(bare, hostWith({ answer }), [FIRST, wrong])).toBe('refused login-delay: wait');
  });

  it('waits for keys and answers that come later', async () => {
    const host = hostWith({ keys: async () => KEYS, answer: async () => ACCEPTED });
    expect(await respond(serverWith().bare, host, [FIRST, FINAL, ''])).toBe('accepted');
  });

  it('stops a host whose nonces cannot be sent', () => {
    for (const nonce of ['', 'a,b', 'a b', 'é']) {
      const exchange = serverWith({ nonce: () => nonce }).bare.start(hostWith());
      expect(() => exchange.step(Buffer.from(FIRST))).toThrow('A nonce is printable ASCII without a comma.');
    }
  });

  it('shows no keys to those who print it', async () => {
    const exchange = serverWith().bare.start(hostWith());
    await exchange.step(Buffer.from(FIRST));
    expect(inspect(exchange, { depth: 9, showHidden: true })).not.toMatch(/Key|salt/i);
  });
});

describe('channel binding on the server', () => {
  const REASONS = {
    downgrade: 'refused bad-credentials: channel binding is on offer, and was not seen',
    missing: 'refused bad-credentials: -PLUS needs channel binding',
    unknown: 'refused bad-credentials: this channel binding is not supported',
    other: 'refused bad-credentials: channel binding does not match',
  };
  const first = (flag: string) => [`${flag},,n=user,r=${CLIENT_NONCE}`];
  const bindable = () => hostWith({ bindings: BINDINGS });

  it('refuses a client that could bind and saw no -PLUS, while -PLUS is on offer', async () => {
    expect(await respond(serverWith().bare, bindable(), first('y'))).toBe(REASONS.downgrade);
  });

  it('takes a client that could bind where -PLUS is not on offer', async () => {
    const client = clientWith({ channelBinding: 'not-offered' });
    expect(client.name).toBe('SCRAM-SHA-256');
    expect(await talk(client, serverWith().bare, hostWith())).toMatchObject({
      outcome: 'accepted',
      complete: true,
    });
    const { bare } = serverWith({ channelBinding: false });
    expect(await talk(client, bare, bindable())).toMatchObject({ outcome: 'accepted', complete: true });
  });

  it('takes a client that cannot bind while -PLUS is on offer', async () => {
    expect(await talk(clientWith(), serverWith().bare, bindable())).toMatchObject({ outcome: 'accepted' });
  });

  it('wants -PLUS to be bound', async () => {
    expect(await respond(serverWith().plus, bindable(), first('n'))).toBe(REASONS.missing);
    expect(await respond(serverWith().plus, bindable(), first('y'))).toBe(REASONS.missing);
  });

  it('refuses a binding that nobody knows, and one that this connection does not have', async () => {
    for (const type of [
      'tls-unique',
      'tls-server-end-point',
      'tls-nonsense',
      'TLS-EXPORTER',
      'constructor',
    ]) {
      expect(await respond(serverWith().plus, bindable(), first(`p=${type}`))).toBe(REASONS.unknown);
    }
    expect(await respond(serverWith().plus, hostWith(), first('p=tls-exporter'))).toBe(REASONS.unknown);
  });

  it('refuses a header that names no binding', async () => {
    expect(await respond(serverWith().plus, bindable(), first('p='))).toMatch(/malformed/);
  });

  for (const type of ['tls-exporter', 'tls-server-end-point', 'tls-unique'] as const) {
    it(`accepts ${type}, and only with the octets of this connection`, async () => {
      const host = hostWith({ bindings: { [type]: EXPORTED } });
      const { plus } = serverWith();
      expect(await talk(clientWith(bound(type)), plus, host)).toMatchObject({
        outcome: 'accepted',
        complete: true,
      });
      const others = [EXPORTED.map((octet) => octet ^ 1), EXPORTED.subarray(1), new Uint8Array(0)];
      for (const octets of others) {
        const refused = await talk(clientWith(bound(type, octets)), plus, host);
        expect(refused).toMatchObject({ outcome: REASONS.other, complete: false });
      }
      expect(host.asked).toHaveLength(1);
    });
  }

  it('is bound to the type as well: one cannot be passed off as another', async () => {
    const host = hostWith({ bindings: { 'tls-exporter': EXPORTED, 'tls-unique': EXPORTED } });
    const renamed: Interference = (from, number, message) =>
      from === 'C' && number === 1 ? message.replace('tls-exporter', 'tls-unique') : message;
    const refused = await talk(clientWith(bound('tls-exporter')), serverWith().plus, host, renamed);
    expect(refused).toMatchObject({ outcome: REASONS.other, complete: false });
  });
});

describe('the client', () => {
  const first = `r=${NONCE},s=${SALT},i=4096`;
  /** What it says to a first message of a server. */
  const answerTo = async (message: string, options: Partial<ScramClientOptions> = {}) => {
    const exchange = clientWith(options).start();
    await exchange.step(null);
    const step = await exchange.step(Buffer.from(message, 'latin1'));
    expect(exchange.complete).toBe(false);
    return step.type === 'failed' ? step.text : Buffer.from(step.response ?? []).toString();
  };
  const UNREADABLE = 'the server sends what cannot be read';
  const SOMEBODY_ELSE = 'the server answers somebody else: it has another nonce';

  const firsts: readonly (readonly [what: string, message: string, text: string])[] = [
    ['nothing', '', UNREADABLE],
    ['a nonce that is not its own', first.replace('r=rO', 'r=xO'), SOMEBODY_ELSE],
    ['its own nonce without one of the server', first.replace(SERVER_NONCE, ''), SOMEBODY_ELSE],
    [
      'too few iterations',
      first.replace('4096', '4095'),
      'the server wants 4095 iterations, not 4096 to 600000',
    ],
    [
      'too many iterations',
      first.replace('4096', '600001'),
      'the server wants 600001 iterations, not 4096 to 600000',
    ],
    ['a number of iterations without end', first.replace('4096', '9'.repeat(400)), UNREADABLE],
    ['no number of iterations', first.replace('4096', '04096'), UNREADABLE],
    ['no salt', first.replace(`s=${SALT},`, ''), UNREADABLE],
    ['an empty salt', first.replace(SALT, ''), UNREADABLE],
    ['a salt that is not base64', first.replace(SALT, '=AAA'), UNREADABLE],
    ['an extension that has to be known', `m=x,${first}`, UNREADABLE],
    ['an extension that has to be known, at the end', `${first},m=x`, UNREADABLE],
    ['a second salt', `${first},s=AAAA`, UNREADABLE],
    ['another order', first.replace(/^(r=[^,]+),(s=[^,]+)/, '$2,$1'), UNREADABLE],
    ['a truncated message', first.slice(0, -6), UNREADABLE],
    ['what is not UTF-8', `${first},x=\xff`, UNREADABLE],
    ['more than 4096 octets', `${first},x=${'y'.repeat(4_096)}`, UNREADABLE],
  ];
  for (const [what, message, text] of firsts) {
    it(`leaves on ${what}`, async () => expect(await answerTo(message)).toBe(text));
  }

  it('ignores extensions that it does not know', async () => {
    expect(await answerTo(`${first},x=y,Z=a=b`)).toMatch(/^c=biws,r=/);
  });

  it('takes as many iterations as it is told to', async () => {
    expect(await answerTo(first.replace('4096', '5001'), { maxIterations: 5_000 })).toBe(
      'the server wants 5001 iterations, not 4096 to 5000',
    );
    expect(await answerTo(first.replace('4096', '5000'), { maxIterations: 5_000 })).toMatch(/^c=biws/);
  });

  const lasts: readonly (readonly [what: string, message: string, text: string])[] = [
    ['nothing', '', UNREADABLE],
    [
      'another signature',
      'v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
      'the server does not know the password',
    ],
    ['a signature that is too short', 'v=6rri', 'the server does not know the password'],
    [
      'a signature that is too long',
      'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4A',
      'the server does not know the password',
    ],
    ['a signature that is not base64', 'v=6', UNREADABLE],
    ['an empty signature', 'v=', UNREADABLE],
    ['an extension that has to be known', 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=,m=x', UNREADABLE],
  ];
  for (const [what, message, text] of lasts) {
    it(`believes no +OK after ${what} in place of the signature`, async () => {
      const exchange = clientWith().start();
      await exchange.step(null);
      await exchange.step(Buffer.from(first));
      expect(await exchange.step(Buffer.from(message))).toEqual({ type: 'failed', text });
      expect(exchange.complete).toBe(false);
    });
  }

  const errors: readonly (readonly [message: string, problem: string])[] = [
    ['e=invalid-proof', 'invalid-proof'],
    ['e=other-error,x=y', 'other-error'],
    ['e=a\nb\x1b[2J', 'a?b?[2J'],
  ];
  for (const [message, problem] of errors) {
    for (const before of [[], [first]]) {
      const place = before.length === 0 ? 'first' : 'last';
      it(`takes ${JSON.stringify(message)} in place of the ${place} message for a refusal, and believes no +OK`, async () => {
        const exchange = clientWith().start();
        await exchange.step(null);
        for (const challenge of before) await exchange.step(Buffer.from(challenge));
        expect(exchange.problem).toBeNull();
        const agreed = { type: 'response', response: new Uint8Array(0) };
        expect(await exchange.step(Buffer.from(message))).toEqual(agreed);
        expect([exchange.problem, exchange.complete]).toEqual([problem, false]);
        expect(await exchange.step(Buffer.from(first))).toMatchObject({ type: 'failed' });
        expect(exchange.complete).toBe(false);
      });
    }
  }

  it('believes no +OK without the signature', async () => {
    const exchange = clientWith().start();
    expect(exchange.complete).toBe(false);
    await exchange.step(null);
    expect(exchange.complete).toBe(false);
    await exchange.step(Buffer.from(first));
    expect(exchange.complete).toBe(false);
  });

  it('has no answer to more than the signature', async () => {
    const exchange = clientWith().start();
    await exchange.step(null);
    await exchange.step(Buffer.from(first));
    const signature = Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    expect(await exchange.step(signature)).toEqual({ type: 'response', response: new Uint8Array(0) });
    expect(exchange.complete).toBe(true);
    expect(await exchange.step(signature)).toMatchObject({ type: 'failed' });
    expect(exchange.complete).toBe(false);
  });

  it('says by the flag whether it can bind', async () => {
    const flagOf = async (options: Partial<ScramClientOptions>) => {
      const step = await clientWith(options).start().step(null);
      return (
        step.type === 'response' &&
        Buffer.from(step.response ?? [])
          .toString()
          .replace(/n=user.*/, '')
      );
    };
    expect(await flagOf({})).toBe('n,,');
    expect(await flagOf({ channelBinding: 'not-offered' })).toBe('y,,');
    expect(await flagOf(bound('tls-unique'))).toBe('p=tls-unique,,');
    expect(await flagOf({ authorizationId: 'a=b,c' })).toBe('n,a=a=3Db=2Cc,');
  });

  it('prepares the name and the password', async () => {
    const host = hostWith({ keys: async () => keysOf('IX') });
    const client = clientWith({ username: '\u2168', password: 'I\u00adX' });
    expect(await talk(client, serverWith().bare, host)).toMatchObject({
      outcome: 'accepted',
      complete: true,
    });
    expect(host.asked).toEqual([expect.objectContaining({ username: 'IX' })]);
  });

  it('takes another nonce for each exchange', async () => {
    const nonces = ['first', 'second'];
    const client = clientWith({ nonce: () => nonces.shift() ?? '' });
    const [one, two] = [await client.start().step(null), await client.start().step(null)];
    expect(
      [one, two].map((step) => step.type === 'response' && Buffer.from(step.response ?? []).toString()),
    ).toEqual(['n,,n=user,r=first', 'n,,n=user,r=second']);
  });

  const misuse: readonly (readonly [what: string, options: Partial<ScramClientOptions>])[] = [
    ['an empty name', { username: '' }],
    ['a name with NUL', { username: 'a\0' }],
    ['a name that SASLprep prohibits', { username: 'a\u0007' }],
    ['a name of 256 octets', { username: 'x'.repeat(256) }],
    ['an empty password', { password: '' }],
    ['a password with NUL', { password: 'sec\0ret' }],
    ['an authorisation id with NUL', { authorizationId: 'a\0' }],
  ];
  for (const [what, options] of misuse) {
    it(`throws for ${what}, without naming a secret`, () => {
      const thrown = (() => {
        try {
          return clientWith(options);
        } catch (error) {
          return error;
        }
      })();
      expect(isPop3Error(thrown) && thrown.code).toBe('POP3_USAGE');
      expect(String(thrown)).not.toMatch(/pencil|sec/);
    });
  }

  it('shows no password to those who print it', async () => {
    const client = clientWith();
    const exchange = client.start();
    await exchange.step(null);
    for (const shown of [client, exchange]) {
      expect(inspect(shown, { depth: 9, showHidden: true })).not.toContain('pencil');
    }
  });
});

describe('somebody in between', () => {
  /** Puts another message in place of one. */
  const put =
    (from: 'C' | 'S', number: number, change: (message: string) => string): Interference =>
    (speaker, turn, message) =>
      speaker === from && turn === number ? change(message) : message;

  const replaced = (what: string | RegExp, by: string) => (message: string) => {
    expect(message).toMatch(what);
    return message.replace(what, by);
  };

  type Caught = { readonly outcome?: unknown; readonly failed?: unknown };
  const NOT_PROVEN: Caught = { outcome: 'refused bad-credentials', failed: null };
  const OTHER: Caught = { outcome: 'refused bad-credentials: channel binding does not match', failed: null };
  const tamperings: readonly (readonly [what: string, interference: Interference, caught: Caught])[] = [
    ['who the client is', put('C', 1, replaced('n=user', 'n=root')), NOT_PROVEN],
    ['who it wants to be', put('C', 1, replaced('n,,', 'n,a=root,')), OTHER],
    ['that it cannot bind', put('C', 1, replaced('n,,', 'y,,')), OTHER],
    [
      'its nonce',
      put('C', 1, replaced('r=rO', 'r=xO')),
      { failed: 'the server answers somebody else: it has another nonce' },
    ],
    ['an extension of it', put('C', 1, (message) => `${message},x=y`), NOT_PROVEN],
    ['the salt', put('S', 1, replaced('s=W2', 's=W3')), NOT_PROVEN],
    ['the number of iterations', put('S', 1, replaced('i=4096', 'i=4097')), NOT_PROVEN],
    [
      'the number of iterations, to a harmless one',
      put('S', 1, replaced('i=4096', 'i=1')),
      { failed: 'the server wants 1 iterations, not 4096 to 600000' },
    ],
    [
      'the nonce of the server',
      put('S', 1, replaced('%hv', '%hw')),
      { outcome: 'refused bad-credentials: malformed response' },
    ],
    ['an extension of the server', put('S', 1, (message) => `${message},x=y`), NOT_PROVEN],
    ['the proof', put('C', 2, replaced('p=d', 'p=e')), NOT_PROVEN],
    ['the binding', put('C', 2, replaced('c=biws', 'c=eSws')), OTHER],
    ['an extension of the proof', put('C', 2, replaced(',p=', ',x=y,p=')), NOT_PROVEN],
    [
      'the signature',
      put('S', 2, replaced('v=6', 'v=7')),
      { failed: 'the server does not know the password' },
    ],
    [
      'the last word of the client',
      put('C', 3, () => 'x'),
      { outcome: 'refused bad-credentials: malformed response' },
    ],
  ];
  for (const [what, interference, caught] of tamperings) {
    it(`cannot change ${what}`, async () => {
      const dialogue = await talk(clientWith(), serverWith().bare, hostWith(), interference);
      expect(dialogue).toMatchObject(caught);
      expect(dialogue.outcome).not.toBe('accepted');
    });
  }

  it('cannot change one octet of a message, whichever', async () => {
    const canonical = (message: string) => {
      const [, value] = /(?:p|v)=([^,]*)$/.exec(message) ?? [];
      return value === undefined
        ? message
        : message.replace(/[^=]*=*$/, Buffer.from(value, 'base64').toString('base64'));
    };
    const { said } = await talk(clientWith(), serverWith().bare, hostWith());
    let tried = 0;
    for (const [i, line] of said.entries()) {
      const from = line.startsWith('C') ? 'C' : 'S';
      const number = (i >> 1) + 1;
      for (let at = 0; at < line.length - 3; at++) {
        const change = (message: string) =>
          message.slice(0, at) + String.fromCharCode(message.charCodeAt(at) ^ 1) + message.slice(at + 1);
        // Bits of base64 that no octet has are none of the message.
        if (canonical(change(line.slice(3))) === line.slice(3)) continue;
        tried++;
        const dialogue = await talk(clientWith(), serverWith().bare, hostWith(), put(from, number, change));
        expect(dialogue.complete && dialogue.outcome === 'accepted', `${from}${number} octet ${at}`).toBe(
          false,
        );
      }
    }
    expect(tried).toBeGreaterThan(250);
  });

  it('cannot let an old exchange of the client be heard again', async () => {
    const { said } = await talk(clientWith(), serverWith().bare, hostWith());
    const old = said.filter((line) => line.startsWith('C')).map((line) => line.slice(3));
    const host = hostWith();
    const { bare } = serverWith({ nonce: () => 'another' });
    expect(await respond(bare, host, old.slice(0, 2))).toBe('refused bad-credentials: malformed response');
    // Not with the new nonce in it, either.
    const renewed = [old[0] ?? '', (old[1] ?? '').replace(NONCE, `${CLIENT_NONCE}another`)];
    expect(await respond(bare, host, renewed)).toBe('refused bad-credentials');
    expect(host.asked).toEqual([expect.objectContaining({ proven: false })]);
  });

  it('cannot pass for the server with an old exchange of it', async () => {
    const { said } = await talk(clientWith(), serverWith().bare, hostWith());
    const old = said.filter((line) => line.startsWith('S')).map((line) => line.slice(3));
    const exchange = clientWith({ nonce: () => 'another' }).start();
    await exchange.step(null);
    expect(await exchange.step(Buffer.from(old[0] ?? ''))).toMatchObject({ type: 'failed' });
    expect(exchange.complete).toBe(false);
  });

  it('cannot pass for the server without the keys', async () => {
    const impostor = hostWith({ keys: () => ({ ...KEYS, serverKey: KEYS.storedKey }) });
    expect(await talk(clientWith(), serverWith().bare, impostor)).toMatchObject({
      outcome: null,
      failed: 'the server does not know the password',
      complete: false,
    });
  });

  it('gains nothing from an authenticator that accepts everybody', async () => {
    const host = hostWith({ answer: () => ACCEPTED });
    const wrong = await talk(clientWith({ password: 'wrong' }), serverWith().bare, host);
    expect(wrong).toMatchObject({ outcome: 'refused bad-credentials', complete: false });
    expect(host.asked).toEqual([expect.objectContaining({ proven: false })]);
  });

  it('is refused by an authenticator that refuses who has proven', async () => {
    const host = hostWith({ answer: () => REFUSED });
    expect(await talk(clientWith(), serverWith().bare, host)).toMatchObject({
      outcome: 'refused bad-credentials',
      complete: false,
    });
  });
});
