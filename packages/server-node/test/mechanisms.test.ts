import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import type { Authenticator, ScramForm } from '@pop3/core';
import {
  cramMd5Client,
  type SaslClientMechanism,
  type ScramClientOptions,
  type ScramPasswordCrypto,
  scramClient,
  scramKeysOf,
  verifyCramMd5,
} from '@pop3/core/sasl';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { MECHANISM_NAMES, nodeMechanisms } from '../src/index.js';
import { type KeyPair, serverCertificate } from './certificates.js';
import { PASSWORD, Peer } from './peer.js';
import { startServer } from './started-server.js';

let tls: KeyPair;
beforeAll(async () => {
  tls = await serverCertificate();
});

const HASHES: Record<ScramForm, string> = {
  'scram-sha-1': 'sha1',
  'scram-sha-256': 'sha256',
  'scram-sha-512': 'sha512',
};
const FORMS = Object.keys(HASHES) as ScramForm[];

function cryptoOf(form: ScramForm): ScramPasswordCrypto {
  const name = HASHES[form];
  const hash = (octets: Uint8Array) => createHash(name).update(octets).digest();
  return {
    hash,
    hmac: (key, octets) => createHmac(name, key).update(octets).digest(),
    pbkdf2: (password, salt, iterations) =>
      promisify(pbkdf2)(password, salt, iterations, hash(new Uint8Array(0)).length, name),
  };
}
const hmacMd5 = (key: Uint8Array, octets: Uint8Array) => createHmac('md5', key).update(octets).digest();

/** Ann alone, by {@link PASSWORD}. */
const SALT = randomBytes(16);
const AUTHENTICATOR: Authenticator = {
  accepts: [...FORMS, 'cram-md5'],
  authenticate(credentials) {
    const proven =
      (credentials.type === 'cram-md5' && verifyCramMd5(hmacMd5, credentials, PASSWORD)) ||
      ('proven' in credentials && credentials.proven);
    return proven
      ? { type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } }
      : { type: 'refused', reason: 'bad-credentials' };
  },
  scramKeys: (_username, form) => scramKeysOf(cryptoOf(form), PASSWORD, SALT, 4_096),
};

async function greeted(port: number): Promise<Peer> {
  const peer = await Peer.connect(port, { tls: { rejectUnauthorized: false } });
  await peer.line();
  return peer;
}

/** The answer to the login, and whether the client believes it. */
async function logIn(peer: Peer, client: SaslClientMechanism): Promise<readonly [string, boolean]> {
  const exchange = client.start();
  const first = await exchange.step(null);
  let response = first.type === 'response' ? first.response : null;
  let answer = await peer.command(`AUTH ${client.name}`);
  while (answer.startsWith('+ ')) {
    if (response === null) {
      const step = await exchange.step(Buffer.from(answer.slice(2), 'base64'));
      if (step.type === 'failed') return [step.text, exchange.complete];
      response = step.response ?? new Uint8Array(0);
    }
    answer = await peer.command(Buffer.from(response).toString('base64'));
    response = null;
  }
  return [answer, exchange.complete];
}

function clientOf(form: ScramForm, options: Partial<ScramClientOptions> = {}): SaslClientMechanism {
  return scramClient(form, {
    username: 'ann',
    password: PASSWORD,
    crypto: cryptoOf(form),
    nonce: () => randomBytes(18).toString('base64'),
    ...options,
  });
}

/** What both ends of a connection of TLS 1.3 know, and nobody else. */
function exportedBy(peer: Peer): ScramClientOptions['channelBinding'] & object {
  const socket = peer.socket as TLSSocket;
  const octets = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  return { type: 'tls-exporter', octets };
}

describe('nodeMechanisms', () => {
  const names = (wanted?: readonly string[]) => nodeMechanisms(wanted).map(({ name }) => name);

  it('are the strong ones first, and none that has to be asked for', () => {
    expect(names()).toEqual([
      'SCRAM-SHA-256',
      'SCRAM-SHA-512',
      'SCRAM-SHA-1',
      'EXTERNAL',
      'OAUTHBEARER',
      'XOAUTH2',
      'PLAIN',
      'LOGIN',
    ]);
  });

  it('are all in the list of names, in its order, and no others', () => {
    expect(names(MECHANISM_NAMES)).toEqual(MECHANISM_NAMES);
    expect(() => names(['?'])).toThrow(`known are ${MECHANISM_NAMES.join(', ')}.`);
  });

  it('are those that are named, in that order, each once', () => {
    expect(names(['PLAIN', 'CRAM-MD5', 'ANONYMOUS', 'SCRAM-SHA-1', 'PLAIN'])).toEqual([
      'PLAIN',
      'CRAM-MD5',
      'ANONYMOUS',
      'SCRAM-SHA-1',
    ]);
    expect(names([])).toEqual([]);
  });

  it('throw for a name that nobody knows, and say which ones are known', () => {
    expect(() => nodeMechanisms(['PLAIN', 'DIGEST-MD5'])).toThrow(
      expect.objectContaining({
        code: 'POP3_USAGE',
        message: expect.stringMatching(
          /^There is no SASL mechanism DIGEST-MD5; known are SCRAM-SHA-256-PLUS, .*ANONYMOUS\.$/,
        ),
      }),
    );
    expect(() => nodeMechanisms(['plain'])).toThrow('There is no SASL mechanism plain;');
  });

  it('ask CRAM-MD5 something new each time, in the form of RFC 2195', async () => {
    const { port } = await startServer({
      authenticator: AUTHENTICATOR,
      mechanisms: nodeMechanisms(['CRAM-MD5']),
    });
    const peer = await Peer.connect(port);
    await peer.line();
    const challenges = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const challenge = Buffer.from((await peer.command('AUTH CRAM-MD5')).slice(2), 'base64').toString();
      expect(challenge).toMatch(/^<\d+\.\d+@[A-Za-z0-9.-]+>$/);
      challenges.add(challenge);
      await peer.command('*');
    }
    expect(challenges.size).toBe(5);
    const client = cramMd5Client({ username: 'ann', password: PASSWORD, hmacMd5 });
    expect(await logIn(peer, client)).toEqual([expect.stringMatching(/^\+OK 3 messages/), true]);
  });
});

describe('SCRAM over TLS', () => {
  const EVERY = ['SHA-256', 'SHA-512', 'SHA-1'].flatMap((hash) => [`SCRAM-${hash}-PLUS`, `SCRAM-${hash}`]);
  const start = (mechanisms: readonly string[] = EVERY) =>
    startServer(
      { tls, authenticator: AUTHENTICATOR, mechanisms: nodeMechanisms(mechanisms) },
      { tls: 'implicit' },
    );
  const DOWNGRADE = '-ERR [AUTH] channel binding is on offer, and was not seen';

  for (const form of FORMS) {
    it(`logs in by ${form}, bound and not`, async () => {
      const { port } = await start();
      const bare = await greeted(port);
      expect(await bare.list('CAPA')).toContain(
        'SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-512-PLUS SCRAM-SHA-512 SCRAM-SHA-1-PLUS SCRAM-SHA-1',
      );
      expect(await logIn(bare, clientOf(form))).toEqual([expect.stringMatching(/^\+OK 3 messages/), true]);
      await bare.command('QUIT');
      const plus = await greeted(port);
      expect(await logIn(plus, clientOf(form, { channelBinding: exportedBy(plus) }))).toEqual([
        expect.stringMatching(/^\+OK 3 messages/),
        true,
      ]);
    });
  }

  it('refuses a wrong password, and then takes the right one', async () => {
    const { port } = await startServer(
      { tls, authenticator: AUTHENTICATOR, limits: { failedLoginDelayMs: 0 } },
      { tls: 'implicit' },
    );
    const peer = await greeted(port);
    const wrong = clientOf('scram-sha-256', { password: 'wrong' });
    expect(await logIn(peer, wrong)).toEqual([expect.stringMatching(/^-ERR \[AUTH\]/), false]);
    expect(await logIn(peer, clientOf('scram-sha-256'))).toEqual([expect.stringMatching(/^\+OK/), true]);
  });

  it('finds out that -PLUS was taken out of the list, unless it was never in it', async () => {
    const client = clientOf('scram-sha-256', { channelBinding: 'not-offered' });
    const { port } = await start();
    expect(await logIn(await greeted(port), client)).toEqual([DOWNGRADE, false]);
    const { port: without } = await start(['SCRAM-SHA-256']);
    expect(await logIn(await greeted(without), client)).toEqual([expect.stringMatching(/^\+OK/), true]);
    // It may have been in the list for another hash.
    const { port: other } = await start(['SCRAM-SHA-512-PLUS', 'SCRAM-SHA-256']);
    expect(await logIn(await greeted(other), client)).toEqual([DOWNGRADE, false]);
  });

  it('is of no use to somebody in between who ends TLS, where it is bound', async () => {
    const { port } = await start();
    const between = createServer({ ...tls, allowHalfOpen: true }, (near) => {
      const far = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => {});
      onTestFinished(() => {
        near.destroy();
        far.destroy();
      });
    });
    between.listen(0, '127.0.0.1');
    onTestFinished(() => void between.close());
    await once(between, 'listening');
    const peer = await greeted((between.address() as AddressInfo).port);
    expect(await logIn(peer, clientOf('scram-sha-256', { channelBinding: exportedBy(peer) }))).toEqual([
      '-ERR [AUTH] channel binding does not match',
      false,
    ]);
    // Without binding nobody notices.
    expect(await logIn(peer, clientOf('scram-sha-256'))).toEqual([expect.stringMatching(/^\+OK/), true]);
  });
});
