import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect } from 'node:tls';
import { pathOf } from './programs.js';
import { cleanEnvironment, type Finished, finished, run, runOk } from './run.js';
import { startPop3dWith } from './server/pop3d.js';

/** What a certificate is made of: its file names, its DNS name, its kind of key. */
export interface CertificateForm {
  readonly name: string;
  readonly dnsName: string;
  readonly key: 'ec' | 'rsa';
}

/** A `pop3d` with all that TLS can be told, and `openssl s_client` to look at it. */
export interface TlsWorld {
  readonly directory: string;
  /** In the order of `listeners`. */
  readonly ports: readonly number[];
  /** Makes a certificate, in place of one with the same name. */
  certificate(form: CertificateForm): Promise<void>;
  /** Runs `openssl s_client` until the server closes; with QUIT it does so soon. */
  client(port: number, flags: readonly string[], input?: string): Promise<Finished>;
  /** The same with the keys that s_client itself takes for commands, until it ends by itself. */
  interactiveClient(port: number, flags: readonly string[], keys: string): Promise<Finished>;
  /** A client of TLS that stays: it sends what it is told and gives back line by line. */
  standingClient(port: number): { send(text: string): void; line(): Promise<string> };
  close(): Promise<void>;
}

export interface TlsWorldOptions {
  /** The first one is the server's own. */
  readonly certificates: readonly CertificateForm[];
  /** Each the body of a `[[listener]]` without its address. */
  readonly listeners: readonly string[];
  readonly workers?: number;
  /** More lines of `[server]`. */
  readonly server?: string;
}

const KEYS = { ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], rsa: ['rsa:2048'] } as const;

export async function startTlsWorld(options: TlsWorldOptions): Promise<TlsWorld> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'pop3-tls-')));
  const openssl = pathOf('openssl') as string;

  async function certificate({ name, dnsName, key }: CertificateForm): Promise<void> {
    const form = [
      'req',
      '-x509',
      '-newkey',
      ...KEYS[key],
      '-nodes',
      '-days',
      '90',
      '-subj',
      `/CN=${dnsName}`,
    ];
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
    await runOk(openssl, [...form, '-addext', `subjectAltName=DNS:${dnsName}`, ...files], {
      home: directory,
    });
  }

  for (const form of options.certificates) await certificate(form);
  const [first, ...further] = options.certificates as readonly [CertificateForm, ...CertificateForm[]];
  await mkdir(join(directory, 'mail'));
  await writeFile(join(directory, 'users'), 'ann:{PLAIN}secret-of-ann\n');
  const configuration = [
    '[server]',
    'listen = []',
    `tls_cert = "${first.name}.pem"`,
    `tls_key = "${first.name}.key"`,
    `workers = ${options.workers ?? 1}`,
    options.server ?? '',
    ...options.listeners.map((listener) => `[[listener]]\naddress = "127.0.0.1:0"\n${listener}`),
    ...further.map(({ name }) => `[[certificate]]\ncert = "${name}.pem"\nkey = "${name}.key"`),
    '[users]\nfile = "users"\n[store]\nmaildir = "mail/{user}"\n',
  ].join('\n');
  await writeFile(join(directory, 'pop3d.toml'), configuration);
  const server = await startPop3dWith(join(directory, 'pop3d.toml'), options.listeners.length);

  const argsOf = (port: number, flags: readonly string[]) => [
    's_client',
    '-connect',
    `127.0.0.1:${port}`,
    ...flags,
  ];
  return {
    directory,
    ports: server.ports,
    certificate,
    client: (port, flags, input = 'QUIT\r\n') =>
      run(openssl, argsOf(port, ['-ign_eof', ...flags]), { home: directory, input }),
    interactiveClient(port, flags, keys) {
      const env = cleanEnvironment(directory);
      const child: ChildProcess = spawn(openssl, argsOf(port, flags), {
        cwd: directory,
        env,
        timeout: 60_000,
      });
      child.stdin?.on('error', () => {});
      child.stdin?.write(keys);
      return finished(child);
    },
    standingClient(port) {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })[
        Symbol.asyncIterator
      ]();
      return {
        send: (text) => void socket.write(text),
        async line() {
          const { value, done } = await lines.next();
          if (done) throw new Error('the server closed the connection');
          return value;
        },
      };
    },
    async close() {
      try {
        await server.stop();
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  };
}
