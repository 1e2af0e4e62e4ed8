import { createHash, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openChannel } from '../src/open-channel.js';
import type { ConnectOptions } from '../src/options.js';
import type { SocketChannel } from '../src/socket-channel.js';
import { authority, certificate, type KeyPair } from './certificates.js';
import { errorOf, greet, listen, listenTls, textOf } from './loopback.js';

const GREETING = { type: 'greeting' } as const;
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const DAY = 86_400_000;

let ca: KeyPair;
let issued: KeyPair;
let selfSigned: KeyPair;
beforeAll(async () => {
  ca = await authority();
  issued = await certificate({ ca, names: ['mail.example.org', '*.example.net', '127.0.0.1'] });
  selfSigned = await certificate({ names: ['127.0.0.1', 'mail.example.org'] });
});

/** Connects to a server with TLS from the start, at 127.0.0.1 by whatever name. */
async function open(
  server: TlsOptions,
  options: Pick<ConnectOptions, 'trust' | 'clientCertificate'> & { readonly name?: string } = {},
  serve: (socket: TLSSocket) => void = greet,
): Promise<SocketChannel> {
  const { name, trust, ...others } = options;
  const channel = await openChannel({
    ...others,
    host: '127.0.0.1',
    port: await listenTls(server, serve),
    trust: { ...trust, ...(name !== undefined && { serverName: name }) },
  });
  onTestFinished(() => channel.destroy());
  return channel;
}

async function greeting(channel: SocketChannel): Promise<string | null> {
  return textOf(channel.read(GREETING));
}

function fingerprintOf({ cert }: KeyPair): string {
  return new X509Certificate(cert).fingerprint256;
}

describe('by an authority', () => {
  it.each([['127.0.0.1'], ['mail.example.org'], ['MAIL.Example.org.'], ['pop.example.net']])(
    'believes a certificate for %s',
    async (name) => {
      expect(await greeting(await open(issued, { name, trust: { ca: ca.cert } }))).toBe('+OK ready\r\n');
    },
  );

  it('can be one of several, and octets', async () => {
    const trust = { ca: [selfSigned.cert, Buffer.from(ca.cert)] };
    expect((await open(issued, { trust })).encrypted).toBe(true);
    expect((await open(selfSigned, { trust })).encrypted).toBe(true);
    const bundle = { ca: `${selfSigned.cert}\n${ca.cert}` };
    expect((await open(issued, { trust: bundle })).encrypted).toBe(true);
  });

  it.each(VERSIONS)('refuses one for another name, and says which it has: %s', async (version) => {
    const server = { ...issued, minVersion: version, maxVersion: version };
    expect(await errorOf(open(server, { name: 'pop.example.org', trust: { ca: ca.cert } }))).toMatchObject({
      code: 'POP3_TLS',
      retryable: false,
      message:
        'The certificate of the server is not for pop.example.org, but for DNS:mail.example.org, DNS:*.example.net, IP Address:127.0.0.1. Connect by one of its names, or say in trust.serverName which it has.',
    });
  });

  it('refuses one that has no name but a common one', async () => {
    const old = await certificate({ ca, commonName: 'mail.example.org' });
    expect(await errorOf(open(old, { name: 'mail.example.org', trust: { ca: ca.cert } }))).toMatchObject({
      code: 'POP3_TLS',
      message: expect.stringMatching(/not for mail\.example\.org, but for no name at all\./),
    });
  });

  it('shows no more names than can be read', async () => {
    const many = await certificate({ names: Array.from({ length: 500 }, (_, i) => `host-${i}.example.org`) });
    const error = await errorOf(open(many, { trust: { ca: many.cert } }));
    expect(String(error).length).toBeLessThan(1_000);
  });

  it.each(VERSIONS)('refuses one that nobody vouches for: %s', async (version) => {
    const server = { ...selfSigned, minVersion: version, maxVersion: version };
    for (const trust of [{}, { ca: ca.cert }]) {
      const error = await errorOf(open(server, { trust }));
      expect(error).toMatchObject({
        code: 'POP3_TLS',
        retryable: false,
        cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
        message: expect.stringMatching(/^No authority .* trust\.ca, or .* trust\.fingerprint256; /),
      });
      expect(String(error)).toContain(fingerprintOf(selfSigned));
    }
  });

  it('refuses one of an authority that is not believed', async () => {
    expect(await errorOf(open({ ...issued, cert: `${issued.cert}\n${ca.cert}` }))).toMatchObject({
      code: 'POP3_TLS',
      cause: { code: 'SELF_SIGNED_CERT_IN_CHAIN' },
    });
    expect(await errorOf(open(issued))).toMatchObject({
      code: 'POP3_TLS',
      cause: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
    });
  });

  it('believes itself instead of those of Node', async () => {
    const other = await authority();
    expect(await errorOf(open(issued, { trust: { ca: other.cert } }))).toMatchObject({ code: 'POP3_TLS' });
  });

  it.each([
    [
      'has expired',
      { notBefore: new Date(Date.UTC(2001, 0)), notAfter: new Date(Date.UTC(2002, 1, 3)) },
      /has expired.* valid until Feb {2}3 00:00:00 2002 GMT: /,
    ],
    [
      'is not valid yet',
      { notBefore: new Date(Date.UTC(2095, 3, 5)), notAfter: new Date(Date.UTC(2096, 0)) },
      /not valid yet.* from Apr {2}5 00:00:00 2095 GMT: /,
    ],
  ])('refuses one that %s, and says when', async (_, dates, message) => {
    const wrong = await certificate({ ca, names: ['127.0.0.1'], ...dates });
    expect(await errorOf(open(wrong, { trust: { ca: ca.cert } }))).toMatchObject({
      code: 'POP3_TLS',
      retryable: false,
      message: expect.stringMatching(message),
    });
  });

  it('says nothing to the server before it is known', async () => {
    let octets = 0;
    const server: TlsOptions = { ...selfSigned };
    const error = errorOf(
      open(server, {}, (socket) => {
        socket.on('data', (chunk) => {
          octets += chunk.length;
        });
      }),
    );
    expect(await error).toMatchObject({ code: 'POP3_TLS' });
    expect(octets).toBe(0);
  });
});

describe('by a fingerprint', () => {
  it.each([
    ['as Node and OpenSSL show it', (hex: string) => hex],
    ['without colons', (hex: string) => hex.replaceAll(':', '')],
    ['in lower case', (hex: string) => hex.toLowerCase()],
    ['with a line end, as in a file', (hex: string) => `${hex}\n`],
    ['as one of several', (hex: string) => ['0'.repeat(64), hex]],
  ])('needs neither an authority nor a name nor a date, %s', async (_, form) => {
    const dates = { notBefore: new Date(0), notAfter: new Date(DAY) };
    const old = await certificate({ names: ['elsewhere.example.org'], ...dates });
    const trust = { fingerprint256: form(fingerprintOf(old)) };
    expect(await greeting(await open(old, { trust }))).toBe('+OK ready\r\n');
  });

  it.each(VERSIONS)('refuses every other certificate, however good: %s', async (version) => {
    const server = { ...issued, minVersion: version, maxVersion: version };
    const trust = { ca: ca.cert, fingerprint256: fingerprintOf(selfSigned) };
    const error = await errorOf(open(server, { trust }));
    expect(error).toMatchObject({ code: 'POP3_TLS', retryable: false });
    expect(String(error)).toContain(`It has ${fingerprintOf(issued)}.`);
  });

  it('is that of the certificate of the server, not of an authority above it', async () => {
    const chain = { ...issued, cert: `${issued.cert}\n${ca.cert}` };
    expect((await open(chain, { trust: { fingerprint256: fingerprintOf(issued) } })).encrypted).toBe(true);
    expect(await errorOf(open(chain, { trust: { fingerprint256: fingerprintOf(ca) } }))).toMatchObject({
      code: 'POP3_TLS',
    });
  });
});

describe('the name of the server', () => {
  async function askedFor(name: string | undefined): Promise<unknown> {
    let asked: unknown = null;
    const options = {
      ...issued,
      SNICallback(servername: string, done: (error: null) => void) {
        asked = servername;
        done(null);
      },
    };
    const trust = { fingerprint256: fingerprintOf(issued) };
    await greeting(await open(options, { trust, ...(name !== undefined && { name }) }));
    return asked;
  }

  it('is asked for, as A-labels and without a dot at its end', async () => {
    expect(await askedFor('mail.example.org')).toBe('mail.example.org');
    expect(await askedFor('Mail.Example.org.')).toBe('mail.example.org');
    expect(await askedFor('bücher.example')).toBe('xn--bcher-kva.example');
  });

  it('is not asked for when it is an address', async () => {
    expect(await askedFor(undefined)).toBeNull();
    expect(await askedFor('::1')).toBeNull();
  });
});

describe('a client certificate', () => {
  const asking = () => ({ ...issued, requestCert: true, rejectUnauthorized: true, ca: ca.cert });

  it.each(VERSIONS)('is shown when it is asked for: %s', async (version) => {
    const ann = await certificate({ ca, commonName: 'ann' });
    let shown: unknown = null;
    const channel = await open(
      { ...asking(), minVersion: version, maxVersion: version },
      { trust: { ca: ca.cert }, clientCertificate: ann },
      (socket) => {
        socket.on('secure', () => {
          shown = socket.getPeerCertificate().subject.CN;
          greet(socket);
        });
      },
    );
    expect(await greeting(channel)).toBe('+OK ready\r\n');
    expect(shown).toBe('ann');
  });

  it.each(VERSIONS)('is missed in words that say so: %s', async (version) => {
    const server = { ...asking(), minVersion: version, maxVersion: version };
    const error = await errorOf(
      // Over TLS 1.3 the server finds out when the handshake is done here.
      open(server, { trust: { ca: ca.cert } }, (socket) => {
        socket.on('secure', () => greet(socket));
      }).then(greeting),
    );
    expect(error).toMatchObject({
      code: 'POP3_TLS',
      retryable: false,
      message: expect.stringMatching(/ clientCertificate/),
    });
  });
});

describe('what is no TLS', () => {
  it('is a server on a port without it', async () => {
    const port = await listen((socket: Socket) => {
      socket.write('+OK ready\r\n');
    });
    const error = await errorOf(openChannel({ host: '127.0.0.1', port }));
    expect(error).toMatchObject({
      code: 'POP3_TLS',
      retryable: false,
      message: expect.stringMatching(/does not begin with TLS .* tls: 'starttls' \(ERR_SSL_/),
    });
  });

  it('is a server that closes', async () => {
    const port = await listen((socket) => socket.end());
    expect(await errorOf(openChannel({ host: '127.0.0.1', port }))).toMatchObject({
      code: 'POP3_TLS',
      retryable: true,
    });
  });

  it('is a server that drops the connection', async () => {
    const port = await listen((socket) => {
      socket.once('data', () => socket.resetAndDestroy());
    });
    expect(await errorOf(openChannel({ host: '127.0.0.1', port }))).toMatchObject({
      code: 'POP3_TLS',
      retryable: true,
      cause: { code: 'ECONNRESET' },
    });
  });
});

describe('an alert', () => {
  it.each([
    ['protocol_version', 70, /no version of TLS from TLSv1\.2 \(trust\.minVersion\) \(ERR_SSL_/],
    ['handshake_failure', 40, /another clientCertificate, or have no cipher in common \(ERR_SSL_/],
    ['bad_certificate', 42, /another clientCertificate/],
    ['unknown_ca', 48, /another clientCertificate/],
    ['internal_error', 80, /^TLS with the server failed \(ERR_SSL_/],
  ])('of %s is told in words', async (_, number, message) => {
    const port = await listen((socket) => {
      socket.once('data', () => socket.end(Uint8Array.of(21, 3, 3, 0, 2, 2, number)));
    });
    expect(await errorOf(openChannel({ host: '127.0.0.1', port }))).toMatchObject({
      code: 'POP3_TLS',
      retryable: false,
      message: expect.stringMatching(message),
    });
  });
});

describe('versions before TLS 1.2', () => {
  const old = () =>
    ({ ...issued, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }) as const;

  it('are not taken', async () => {
    expect(await errorOf(open(old(), { trust: { ca: ca.cert } }))).toMatchObject({ code: 'POP3_TLS' });
  });

  it('are taken when that is said', async () => {
    const channel = await open(old(), { trust: { ca: ca.cert, minVersion: 'TLSv1' } });
    expect(channel.encrypted).toBe(true);
    expect(await greeting(channel)).toBe('+OK ready\r\n');
  });
});

describe('channel bindings', () => {
  const TYPES = ['tls-exporter', 'tls-server-end-point', 'tls-unique'] as const;

  it.each(VERSIONS)('are those of the server: %s', async (version) => {
    let server: TLSSocket | null = null;
    const channel = await open(
      { ...issued, minVersion: version, maxVersion: version },
      { trust: { ca: ca.cert } },
      (socket) => {
        server = socket;
        greet(socket);
      },
    );
    await greeting(channel);
    const socket = server as TLSSocket | null;
    const exported = socket?.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    const endPoint = createHash('sha256').update(new X509Certificate(issued.cert).raw).digest();
    const bindings = () => TYPES.map((type) => channel.channelBinding(type));
    const expected = [
      version === 'TLSv1.3' ? exported : null,
      endPoint,
      version === 'TLSv1.2' ? socket?.getPeerFinished() : null,
    ];
    expect(bindings()).toEqual(expected);
    expect(bindings()).toEqual(expected);
    channel.destroy();
    expect(bindings()).toEqual([null, null, null]);
  });
});
