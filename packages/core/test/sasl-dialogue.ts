/** Lets the two halves of a mechanism talk to each other, and to tests. */
import type {
  AuthOutcome,
  ChannelBindingType,
  Credentials,
  MaybePromise,
  Peer,
  Refusal,
  ScramKeys,
} from '../src/adapter.js';
import type { SaslClientMechanism, SaslServerContext, SaslServerMechanism } from '../src/sasl/index.js';
import type { SaslOutcome } from '../src/server/requests.js';
import { latin1, octets } from './stored-message.js';

export const ACCEPTED: AuthOutcome = {
  type: 'accepted',
  identity: { maildrop: 'ann', username: 'ann' },
};
export const REFUSED: Refusal = { type: 'refused', reason: 'bad-credentials' };
const PEER: Peer = { address: null, tls: true, certificate: null };

export type Bindings = Partial<Record<ChannelBindingType, Uint8Array>>;

export function peerWith(bindings: Bindings | null): Peer {
  return bindings === null ? PEER : { ...PEER, channelBinding: (type) => bindings[type] ?? null };
}

/** What a mechanism sees of its server, and what it has asked for. */
export class Host implements SaslServerContext {
  readonly signal: AbortSignal = new AbortController().signal;
  readonly asked: Credentials[] = [];
  readonly peer: Peer;
  readonly #answer: (credentials: Credentials) => MaybePromise<AuthOutcome>;
  readonly #keys: (username: string) => MaybePromise<ScramKeys | Refusal>;

  constructor(
    options: {
      readonly bindings?: Bindings | null;
      readonly answer?: (credentials: Credentials) => MaybePromise<AuthOutcome>;
      readonly keys?: (username: string) => MaybePromise<ScramKeys | Refusal>;
    } = {},
  ) {
    this.peer = peerWith(options.bindings ?? null);
    this.#answer = options.answer ?? (() => ACCEPTED);
    this.#keys = options.keys ?? (() => ({ type: 'refused', reason: 'temporary' }));
  }

  authenticate(credentials: Credentials): MaybePromise<AuthOutcome> {
    this.asked.push(credentials);
    return this.#answer(credentials);
  }

  scramKeys(username: string): MaybePromise<ScramKeys | Refusal> {
    return this.#keys(username);
  }
}

/** Gives responses to one exchange; null is no initial response. Says what came of the last. */
export async function respond(
  mechanism: SaslServerMechanism,
  host: SaslServerContext,
  responses: readonly (string | null)[],
): Promise<string> {
  const exchange = mechanism.start(host);
  let outcome: SaslOutcome = REFUSED;
  for (const response of responses)
    outcome = await exchange.step(response === null ? null : octets(response));
  return worded(outcome);
}

/** An outcome as one line: `+ challenge`, `accepted`, or `refused` with the reason and the text of it. */
export function worded(outcome: SaslOutcome): string {
  if (outcome.type === 'challenge') return `+ ${latin1(outcome.challenge)}`;
  if (outcome.type === 'accepted') return 'accepted';
  return `refused ${outcome.reason}${outcome.text === undefined ? '' : `: ${outcome.text}`}`;
}

export interface Dialogue {
  /** What each side has said, as it left: `C: ...` and `S: ...`. */
  readonly said: readonly string[];
  /** The last word of the server; null when the client left before it came. */
  readonly outcome: string | null;
  /** Why the client left; null when it did not. */
  readonly failed: string | null;
  /** Whether the client believes the last word. */
  readonly complete: boolean;
}

/** Changes a message on its way: the first of either side is number 1. */
export type Interference = (from: 'C' | 'S', number: number, message: string) => string;

export async function talk(
  client: SaslClientMechanism,
  server: SaslServerMechanism,
  host: SaslServerContext,
  interfere: Interference = (_from, _number, message) => message,
): Promise<Dialogue> {
  const said: string[] = [];
  const here = client.start();
  const there = server.start(host);
  let challenge: Uint8Array | null = null;
  for (let turn = 1; ; turn++) {
    const step = await here.step(challenge);
    if (step.type === 'failed') return { said, outcome: null, failed: step.text, complete: here.complete };
    let response: Uint8Array | null = null;
    if (step.response !== null) {
      said.push(`C: ${latin1(step.response)}`);
      response = octets(interfere('C', turn, latin1(step.response)));
    }
    const outcome = await there.step(response);
    if (outcome.type !== 'challenge') {
      return { said, outcome: worded(outcome), failed: null, complete: here.complete };
    }
    said.push(`S: ${latin1(outcome.challenge)}`);
    challenge = octets(interfere('S', turn, latin1(outcome.challenge)));
  }
}
