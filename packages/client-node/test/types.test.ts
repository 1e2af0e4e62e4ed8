/** What the compiler promises to a consumer in strict mode; `tsc -p .` is what checks it. */
import type { Duplex } from 'node:stream';
import { expect, expectTypeOf, it } from 'vitest';
import {
  type Auth,
  type Capabilities,
  type ConnectOptions,
  connectPop3,
  isPop3Error,
  type MessageBody,
  type Pop3Client,
  type Pop3Error,
  type Pop3ErrorCode,
  type Pop3Message,
  type QuitResult,
} from '../src/index.js';

/** Never run: what is in it has to compile, or not to. */
function compiled(_: (client: Pop3Client) => unknown): void {
  expect.assertions(0);
}

it('deletes messages by their number, and by nothing that could mean all of them', () => {
  expectTypeOf<Pop3Client['delete']>().toEqualTypeOf<(messageNumber: number) => void>();
  expectTypeOf<Pop3Message['delete']>().toEqualTypeOf<() => void>();
  compiled((client) => {
    client.delete(1);
    // @ts-expect-error A message number is a number.
    client.delete('1');
    // @ts-expect-error And not a large one.
    client.delete(1n);
    // @ts-expect-error No message is not all messages.
    client.delete(null);
    // @ts-expect-error
    client.delete(undefined);
    // @ts-expect-error
    client.delete();
    // @ts-expect-error Several are several calls.
    client.delete([1, 2]);
    // @ts-expect-error A unique-id is no number.
    client.retrieve('QhdPYR:00WBw1Ph7x7');
    // @ts-expect-error How many lines?
    client.top(1);
  });
});

it('takes one kind of login, whole', () => {
  const login = (_: Auth) => {};
  compiled(() => {
    login({ user: 'ann', password: 'secret', mechanism: 'APOP' });
    login({ user: 'ann', accessToken: async (refused) => refused?.problem ?? 'token' });
    login({ external: true });
    // @ts-expect-error A name alone is no login.
    login({ user: 'ann' });
    // @ts-expect-error Nor is a password.
    login({ password: 'secret' });
    // @ts-expect-error What would false mean?
    login({ external: false });
    // @ts-expect-error A password does not go by a token's mechanism.
    login({ user: 'ann', accessToken: 'x', mechanism: 'PLAIN' });
    // @ts-expect-error A mechanism is an object, not a name.
    login({ sasl: 'GSSAPI' });
    // @ts-expect-error The names are user and password.
    login({ user: 'ann', pass: 'secret' });
    // @ts-expect-error A source gives text.
    login({ user: 'ann', accessToken: () => null });
  });
});

it('connects to a host, or over a socket', () => {
  const connect = (_: ConnectOptions) => {};
  compiled(() => {
    connect({ host: 'pop.example.org' });
    connect({ socket: null as unknown as Duplex, tls: 'off' });
    // @ts-expect-error Neither.
    connect({ tls: 'implicit' });
    // @ts-expect-error A port says nothing about a socket.
    connect({ socket: null as unknown as Duplex, port: 995 });
    // @ts-expect-error No way to take every certificate.
    connect({ host: 'pop.example.org', trust: { rejectUnauthorized: false } });
    // @ts-expect-error There are four words for TLS.
    connect({ host: 'pop.example.org', tls: true });
    // @ts-expect-error A time is a number of milliseconds.
    connect({ host: 'pop.example.org', timeouts: { commandMs: '60s' } });
  });
});

it('gives messages, and octets of them', () => {
  expectTypeOf(connectPop3).toEqualTypeOf<(options: ConnectOptions) => Promise<Pop3Client>>();
  expectTypeOf<ReturnType<Pop3Client['messages']>>().toEqualTypeOf<
    AsyncGenerator<Pop3Message, void, undefined>
  >();
  expectTypeOf<Pop3Message['uniqueId']>().toEqualTypeOf<string | null>();
  expectTypeOf<Pop3Message['octets']>().toEqualTypeOf<number | null>();
  expectTypeOf<ReturnType<Pop3Message['body']>>().toEqualTypeOf<MessageBody>();
  expectTypeOf<MessageBody>().toExtend<AsyncIterable<Uint8Array>>();
  expectTypeOf<Pop3Client>().toExtend<AsyncDisposable>();
  expectTypeOf<QuitResult['deleted']>().toEqualTypeOf<readonly number[]>();
  compiled(async (client) => {
    expectTypeOf(await client.list()).toEqualTypeOf<ReadonlyMap<number, number | null>>();
    expectTypeOf(await client.list(1)).toEqualTypeOf<number | null>();
    expectTypeOf(await client.uniqueIds()).toEqualTypeOf<ReadonlyMap<number, string>>();
    expectTypeOf(await client.uniqueIds(1)).toEqualTypeOf<string>();
    expectTypeOf(await client.capabilities()).toEqualTypeOf<Capabilities | null>();
    // @ts-expect-error A client is connected by connectPop3().
    new Pop3Client();
    // @ts-expect-error What a message is, the server says.
    for await (const message of client.messages()) message.number = 2;
  });
});

it('narrows what was caught to an error with a code', () => {
  const caught: unknown = new Error('not ours');
  expect(isPop3Error(caught)).toBe(false);
  if (isPop3Error(caught)) {
    expectTypeOf(caught).toEqualTypeOf<Pop3Error>();
    expectTypeOf(caught.code).toEqualTypeOf<Pop3ErrorCode>();
    expectTypeOf(caught.retryable).toEqualTypeOf<boolean>();
  }
});
