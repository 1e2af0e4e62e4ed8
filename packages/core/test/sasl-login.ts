/** Logs in to a session by the client's half of a mechanism, line by line as RFC 5034 has it. */
import type { Authenticator, Peer } from '../src/adapter.js';
import { decodeBase64, encodeBase64 } from '../src/base64.js';
import { serve } from '../src/driver/index.js';
import type { SaslClientMechanism, SaslServerMechanism } from '../src/sasl/index.js';
import { MemoryChannel, storeOf } from './memory-channel.js';
import { chunksOf, latin1, octets } from './stored-message.js';

export interface LoginAttempt {
  readonly client: SaslClientMechanism;
  readonly mechanisms: readonly SaslServerMechanism[];
  readonly authenticator: Authenticator;
  readonly peer: Peer;
  /** Whether the first response stands on the line of AUTH. */
  readonly oneLine: boolean;
  /** Lengths of the chunks in which what the client says arrives. */
  readonly chunks: readonly number[];
}

export interface LoginResult {
  /** The last line about the login. */
  readonly answer: string;
  readonly complete: boolean;
  /** Why the client broke off; null when it did not. */
  readonly failed: string | null;
  /** What the server says to CAPA and QUIT afterwards: the session goes on, whatever came of the login. */
  readonly afterwards: string;
}

/** A dialogue by hand: what is said arrives in chunks, what is answered is read by lines. */
export class Talk {
  readonly #channel = new MemoryChannel();
  readonly #chunks: readonly number[];
  readonly #ended: Promise<unknown>;

  constructor(
    options: Pick<LoginAttempt, 'mechanisms' | 'authenticator' | 'peer'> & {
      readonly chunks?: readonly number[];
    },
  ) {
    this.#chunks = options.chunks ?? [];
    this.#ended = serve({
      channel: this.#channel,
      mechanisms: options.mechanisms,
      authenticator: options.authenticator,
      peer: options.peer,
      store: storeOf([]),
    });
  }

  /** The next line of the server, without CRLF. */
  async line(): Promise<string> {
    await this.#channel.said('\r\n');
    const end = this.#channel.output.indexOf('\r\n');
    const line = this.#channel.output.slice(0, end);
    this.#channel.output = this.#channel.output.slice(end + 2);
    return line;
  }

  async say(line: string): Promise<string> {
    for (const chunk of chunksOf(octets(`${line}\r\n`), this.#chunks)) this.#channel.say(latin1(chunk));
    return this.line();
  }

  async end(): Promise<string> {
    const bye = await this.say('QUIT');
    await this.#ended;
    return bye;
  }
}

export async function logIn(attempt: LoginAttempt): Promise<LoginResult> {
  const talk = new Talk(attempt);
  await talk.line();
  const exchange = attempt.client.start();
  const first = await exchange.step(null);
  let failed: string | null = null;
  const response = first.type === 'response' ? first.response : null;
  let answer: string;
  if (response !== null && attempt.oneLine) {
    answer = await talk.say(`AUTH ${attempt.client.name} ${encodeBase64(response) || '='}`);
  } else {
    answer = await talk.say(`AUTH ${attempt.client.name}`);
    if (response !== null && answer === '+ ') answer = await talk.say(encodeBase64(response));
  }
  while (answer.startsWith('+ ')) {
    const step = await exchange.step(decodeBase64(answer.slice(2)));
    if (step.type === 'failed') {
      failed = step.text;
      answer = await talk.say('*');
    } else {
      answer = await talk.say(encodeBase64(step.response ?? new Uint8Array(0)));
    }
  }
  return { answer, complete: exchange.complete, failed, afterwards: await talk.end() };
}
