import { X509Certificate } from 'node:crypto';
import { staticUsers } from '@pop3/auth-node';
import { createPop3Server, type ListenOptions, type Pop3ServerOptions } from '@pop3/server-node';
import { type MemoryMaildrop, memoryStore } from '@pop3/store-memory';
import { generate } from 'selfsigned';
import { onTestFinished } from 'vitest';

export const PASSWORD = 'S3cret-of-ann';

export interface MaildropServer {
  readonly port: number;
  /** The flags and the environment of somebody who knows the password. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Unique-ids of what is left. */
  left(): string[];
}

/** A server on this machine with a maildrop of `ann`. It is stopped when the test has ended. */
export async function serve(
  messages: readonly string[],
  options: Partial<Pop3ServerOptions> = {},
  listen: ListenOptions = { tls: 'off' },
): Promise<MaildropServer> {
  const maildrops = new Map<string, MemoryMaildrop>();
  const store = memoryStore(maildrops);
  for (const message of messages) store.deliver('ann', Buffer.from(message));
  const server = createPop3Server({ store, authenticator: staticUsers({ ann: PASSWORD }), ...options });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0, ...listen });
  onTestFinished(() => server.close({ drainMs: 0 }));
  return {
    port,
    args: [`127.0.0.1:${port}`, '--user', 'ann', '--tls', 'off', '--allow-plaintext'],
    env: { POP3_PASSWORD: PASSWORD },
    left: () => [...(maildrops.get('ann')?.messages.keys() ?? [])],
  };
}

/** A certificate of `localhost` that stands for itself. */
export async function certificate(): Promise<{
  readonly cert: string;
  readonly key: string;
  readonly fingerprint: string;
}> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  return { cert: made.cert, key: made.private, fingerprint: new X509Certificate(made.cert).fingerprint256 };
}
