/** The world of the README: `pop.example.org` and its proxy on loopback, and files beside it. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { anyOf, certificateUsers, staticUsers } from '@pop3/auth-node';
import type { Authenticator, Pop3Extension } from '@pop3/core';
import { createPop3Server, MECHANISM_NAMES, nodeMechanisms } from '@pop3/server-node';
import { memoryStore } from '@pop3/store-memory';
import { type ConnectOptions, connectPop3 as connectTo, type Pop3Client } from '../src/index.js';
import { authority, certificate } from './certificates.js';

export * from '../src/index.js';

const ports = new Map<number, number>();
const clients: Pop3Client[] = [];
let ca = '';

/** What the README imports: goes to loopback for `pop.example.org`, and believes in its authority. */
export async function connectPop3(options: ConnectOptions): Promise<Pop3Client> {
  const { host, socket, trust = { ca }, ...rest } = options;
  const implicit = (options.tls ?? 'implicit') === 'implicit';
  const port = ports.get(options.port ?? (implicit ? 995 : 110)) as number;
  const client = await connectTo({
    ...rest,
    port: undefined,
    trust,
    host: host as string,
    socket: socket ?? (() => connect(port, '127.0.0.1')),
  });
  clients.push(client);
  return client;
}

/** Takes any token but one that has expired. */
const tokens: Authenticator = {
  accepts: ['token'],
  authenticate: (credentials) =>
    credentials.type === 'token' && credentials.token === 'new-token'
      ? { type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } }
      : { type: 'refused', reason: 'bad-credentials', token: { status: 'invalid_token' } },
};

const help: Pop3Extension = {
  verb: 'XHELP',
  states: ['transaction'],
  run: (argument) => ({
    status: '+OK',
    text: 'help follows',
    lines: [`nobody helps ${Buffer.from(argument ?? []).toString()}`],
  }),
};

export interface World {
  /** With `ca.pem`, `ann.pem`, `ann.key` and `fingerprint`, and nothing else. */
  readonly folder: string;
  readonly proxyPort: number;
  close(): Promise<void>;
}

export async function readmeWorld(): Promise<World> {
  const root = await authority();
  ca = root.cert;
  const own = await certificate({ names: ['pop.example.org'], ca: root });
  const ann = await certificate({ commonName: 'ann', ca: root });
  const store = memoryStore();
  for (const n of [1, 2, 3]) store.deliver('ann', Buffer.from(`Subject: message ${n}\r\n\r\nHi, Ann.\r\n`));
  const server = createPop3Server({
    store,
    authenticator: anyOf(staticUsers({ ann: 'secret' }), certificateUsers(), tokens),
    mechanisms: nodeMechanisms(MECHANISM_NAMES),
    extensions: [help],
    limits: { failedLoginDelayMs: 0 },
    tls: { ...own, ca },
  });
  ports.set(995, (await server.listen({ port: 0, tls: 'implicit' })).port);
  ports.set(110, (await server.listen({ port: 0 })).port);
  const proxy = createServer().on('connect', connected).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'readme-'));
  writeFileSync(join(folder, 'ca.pem'), ca);
  writeFileSync(join(folder, 'ann.pem'), ann.cert);
  writeFileSync(join(folder, 'ann.key'), ann.key);
  writeFileSync(join(folder, 'fingerprint'), new X509Certificate(own.cert).fingerprint256);
  return {
    folder,
    proxyPort: (proxy.address() as AddressInfo).port,
    async close() {
      await Promise.all(clients.splice(0).map((client) => client.close()));
      await server.close({ drainMs: 0 });
      proxy.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function connected({ url = '' }: IncomingMessage, socket: Duplex): void {
  const [, port = ''] = url.split(':');
  const target = connect(ports.get(Number(port)) as number, '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.pipe(target).pipe(socket);
  });
  for (const end of [socket, target]) end.on('error', () => {});
}
