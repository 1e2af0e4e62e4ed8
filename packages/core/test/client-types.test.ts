/** What the compiler promises to a consumer in strict mode; `tsc -p test` is what checks it. */
import { expect, expectTypeOf, it } from 'vitest';
import type {
  Awaited as AwaitedAnswer,
  ClientChannel,
  Conversation,
  Reply,
  ReplyBody,
} from '../src/driver/index.js';
import type {
  Capabilities,
  ClientAction,
  ClientCommand,
  ClientFailure,
  ClientState,
  Command,
  OtherCommand,
  Status,
  Verb,
} from '../src/index.js';
import { ClientSession, type encodeCommand } from '../src/index.js';

type Action<T extends ClientAction['type']> = Extract<ClientAction, { type: T }>;

/** Never run: what is in it has to compile, or not to. */
function compiled(_: () => unknown): void {
  expect.assertions(0);
}

it('takes a command with what belongs to its verb, and nothing else', () => {
  expectTypeOf<ClientSession['send']>().parameters.toEqualTypeOf<[command: ClientCommand]>();
  expectTypeOf<Conversation['send']>().toEqualTypeOf<(command: ClientCommand) => Promise<Reply>>();
  expectTypeOf<typeof encodeCommand>().parameter(0).toEqualTypeOf<ClientCommand>();
  expectTypeOf<ClientCommand>().toEqualTypeOf<Command | OtherCommand>();
  expectTypeOf<Command['verb']>().toEqualTypeOf<Verb>();
  compiled(() => {
    const session = new ClientSession();
    session.send({ verb: 'DELE', messageNumber: 1 });
    session.send({ verb: 'LIST', messageNumber: null });
    session.send({ verb: 'TOP', messageNumber: 1, lines: 0 });
    session.send({ verb: null, keyword: 'XTND', argument: null, multiline: false });
    // @ts-expect-error A message number is a number.
    session.send({ verb: 'DELE', messageNumber: '1' });
    // @ts-expect-error No message is not all messages.
    session.send({ verb: 'DELE', messageNumber: null });
    // @ts-expect-error Which one?
    session.send({ verb: 'DELE' });
    // @ts-expect-error Null is said, not left out.
    session.send({ verb: 'LIST' });
    // @ts-expect-error TOP has to say how many lines.
    session.send({ verb: 'TOP', messageNumber: 1 });
    // @ts-expect-error STAT is about all messages.
    session.send({ verb: 'STAT', messageNumber: 1 });
    // @ts-expect-error Verbs are in upper case.
    session.send({ verb: 'dele', messageNumber: 1 });
    // @ts-expect-error A command is no line.
    session.send('DELE 1');
    // @ts-expect-error Whether lines follow can only be known by whoever knows the command.
    session.send({ verb: null, keyword: 'XTND', argument: null });
    // @ts-expect-error A password is text.
    session.send({ verb: 'PASS', password: new Uint8Array(0) });
  });
});

it('narrows an action by its type', () => {
  expectTypeOf<ReturnType<ClientSession['next']>>().toEqualTypeOf<ClientAction>();
  expectTypeOf<ClientAction['type']>().toEqualTypeOf<
    | 'read'
    | 'write'
    | 'greeting'
    | 'response'
    | 'body'
    | 'body-end'
    | 'challenge'
    | 'upgrade-tls'
    | 'wait'
    | 'close'
  >();
  expectTypeOf<Action<'write'>['octets']>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<Action<'body'>['octets']>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<Action<'challenge'>['challenge']>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<Action<'response'>['command']>().toEqualTypeOf<ClientCommand>();
  expectTypeOf<Action<'response'>['status']>().toEqualTypeOf<Status>();
  expectTypeOf<Action<'greeting'>['apopTimestamp']>().toEqualTypeOf<string | null>();
  expectTypeOf<Action<'close'>['failure']>().toEqualTypeOf<ClientFailure | null>();
  expectTypeOf<Action<'read' | 'wait' | 'upgrade-tls'>>().not.toHaveProperty('command');
});

it('says what a status can be: a challenge is none', () => {
  expectTypeOf<Status['status']>().toEqualTypeOf<'+OK' | '-ERR'>();
  expectTypeOf<Status['text']>().toEqualTypeOf<string>();
  expectTypeOf<Status>().not.toHaveProperty('challenge');
});

it('gives a reply the command that it answers, and a body only where one can be', () => {
  expectTypeOf<Reply['command']>().toEqualTypeOf<ClientCommand>();
  expectTypeOf<Reply['body']>().toEqualTypeOf<ReplyBody | null>();
  expectTypeOf<ReplyBody>().toExtend<AsyncIterable<Uint8Array, undefined>>();
  compiled(async () => {
    const reply = null as never as Reply;
    if (reply.command.verb === 'RETR') expectTypeOf(reply.command.messageNumber).toEqualTypeOf<number>();
    if (reply.command.verb === null) expectTypeOf(reply.command.keyword).toEqualTypeOf<string>();
    // @ts-expect-error It may have no body.
    for await (const _ of reply.body) break;
    // @ts-expect-error What was answered stays so.
    reply.body = null;
  });
});

it('tells a channel what for: a greeting, or an answer to a command', () => {
  expectTypeOf<ClientChannel['read']>().parameter(0).toEqualTypeOf<AwaitedAnswer>();
  expectTypeOf<Exclude<AwaitedAnswer, { type: 'greeting' }>['command']>().toEqualTypeOf<ClientCommand>();
  expectTypeOf<Extract<AwaitedAnswer, { type: 'greeting' }>>().not.toHaveProperty('command');
});

it('lets nobody change what it says of itself', () => {
  expectTypeOf<ClientSession['state']>().toEqualTypeOf<ClientState>();
  expectTypeOf<ClientSession['capabilities']>().toEqualTypeOf<Capabilities | null>();
  compiled(() => {
    const session = new ClientSession();
    // @ts-expect-error The session knows by itself.
    session.state = 'transaction';
    // @ts-expect-error The server says them.
    session.capabilities = new Map();
    // @ts-expect-error A map that can be read.
    session.capabilities?.set('TOP', []);
  });
});
