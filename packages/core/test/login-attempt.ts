import { inspect } from 'node:util';
import { expect } from 'vitest';
import { type Auth, type ClientChannel, converse } from '../src/driver/index.js';
import { type LoginContext, logIn } from '../src/driver/login.js';
import { isPop3Error, type Pop3Error } from '../src/errors.js';
import { LOGIN_CRYPTO } from './node-hashes.js';

export interface Attempt extends Partial<Omit<LoginContext, 'conversation' | 'capabilities'>> {
  readonly channel: ClientChannel;
  readonly auth: Auth;
}

/** Greets, asks for the capabilities and logs in, as the client does. */
export async function attempt({ channel, auth, ...changes }: Attempt): Promise<string> {
  const conversation = converse({ channel, session: { tls: changes.encrypted ?? true } });
  const { apopTimestamp } = await conversation.greeting();
  const capabilities = await conversation.capabilities();
  return logIn(auth, {
    conversation,
    capabilities,
    apopTimestamp,
    encrypted: true,
    allowPlaintext: false,
    pipelining: false,
    crypto: LOGIN_CRYPTO,
    host: 'mail.example.org',
    port: 995,
    channelBinding: () => null,
    ...changes,
  });
}

/** The error of a login that fails; none of `secrets` is in it, however it is printed, nor in what caused it. */
export async function errorOf(login: Promise<unknown>, ...secrets: string[]): Promise<Pop3Error> {
  const error: unknown = await login.then(
    (value) => expect.fail(`logged in by ${value}`),
    (reason: unknown) => reason,
  );
  if (!isPop3Error(error)) throw error;
  expectNoSecrets(error, ...secrets);
  return error;
}

export function expectNoSecrets(error: Pop3Error, ...secrets: string[]): void {
  const printed = [
    inspect(error, { depth: 20, showHidden: true }),
    String(error),
    JSON.stringify(error),
    error.stack ?? '',
  ].join('\n');
  for (const secret of secrets) {
    expect(printed).not.toContain(secret);
    for (const form of [secret, `\0ann\0${secret}`, `ann\0ann\0${secret}`])
      expect(printed).not.toContain(Buffer.from(form).toString('base64'));
  }
}
