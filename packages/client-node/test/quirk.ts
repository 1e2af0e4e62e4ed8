/** Runs a test against a server that is wrong, twice: with what it says whole, and octet by octet. */
import { describe, expect, it } from 'vitest';
import { type ConnectOptions, connectPop3, type MessageBody, type Pop3Client } from '../src/index.js';
import { ScriptedServer, type ScriptedServerOptions } from './scripted-server.js';

/** User and password of the scripts; in the clear, since most quirks have nothing to do with TLS. */
export const PLAIN = {
  tls: 'off',
  allowPlaintext: true,
  auth: { user: 'ann', password: 'secret' },
} as const;

export interface Setting {
  readonly server: ScriptedServer;
  /** Connects and logs in; the connection is dropped when the test is over. */
  connect(options?: Partial<ConnectOptions>): Promise<Pop3Client>;
}

export function quirk(
  name: string,
  scripts: string | readonly string[],
  test: (setting: Setting) => Promise<void>,
  options: ScriptedServerOptions = {},
): void {
  describe(name, () => {
    it('whole', () => against(scripts, options, test));
    it('octet by octet', () => against(scripts, { ...options, octetByOctet: true }, test));
  });
}

/** Once only, for what would take long in single octets. */
export async function against(
  scripts: string | readonly string[],
  options: ScriptedServerOptions,
  test: (setting: Setting) => Promise<void>,
): Promise<void> {
  await using server = new ScriptedServer(scripts, options);
  const clients: Pop3Client[] = [];
  try {
    await test({
      server,
      async connect(changes = {}) {
        const client = await connectPop3({
          ...PLAIN,
          socket: server.socket,
          ...changes,
        } as ConnectOptions);
        clients.push(client);
        return client;
      },
    });
  } catch (error) {
    // The cause, where the client said what no script answers.
    server.check();
    throw error;
  } finally {
    for (const client of clients) await client.close();
  }
  server.check();
}

/** A body as characters, one an octet. */
export async function text(body: MessageBody): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk.slice());
  return Buffer.concat(chunks).toString('latin1');
}

/** The stream is out of step, or lost: nothing more may be said, QUIT least of all. */
export async function expectOver(client: Pop3Client, server: ScriptedServer, code: string): Promise<void> {
  const { length } = server.octets;
  await expect(client.noop()).rejects.toMatchObject({ code });
  await expect(client.stat()).rejects.toMatchObject({ code });
  expect(server.octets.slice(length)).toBe('');
  expectNothingDeleted(server);
}

export function expectNothingDeleted(server: ScriptedServer): void {
  expect(server.octets).not.toMatch(/DELE|QUIT/i);
}
