/** Runs transcripts against `serve()`: the same dialogues, with adapters in the place of answers. */
import type { AuthOutcome, Body, MaybePromise, Peer } from '../src/adapter.js';
import { serve } from '../src/driver/index.js';
import type { ExtensionCommand, Pop3Extension } from '../src/extension.js';
import type { SaslServerMechanism } from '../src/sasl/index.js';
import type { SaslOutcome } from '../src/server/requests.js';
import { latin1, octets } from './stored-message.js';
import type { ExpectedRequest, ScriptedAnswer, Step, Transcript } from './transcript.js';
import {
  arriving,
  expectRequest,
  listingOf,
  mechanismsNamed,
  type Outcome,
  sessionOptionsOf,
  type Way,
} from './transcript-server.js';

const CLEAR: Peer = { address: null, tls: false, certificate: null };
const ENCRYPTED: Peer = { ...CLEAR, tls: true };

/** Whether adapters can do what the transcript asks of them: they fail, and never refuse, after the login. */
export function canBeServed({ steps }: Transcript): boolean {
  return steps.every((step) => {
    if (step.type === 'abort') return false;
    if (step.type !== 'request') return true;
    const { answer, request } = step;
    const late = ['retrieve', 'commit', 'extension'].includes(request.type);
    switch (answer.type) {
      case 'pending':
        return false;
      case 'refused':
        return !late || (answer.reason === 'temporary' && answer.text === null && !isEmptyCommit(request));
      case 'message':
        // A body that fails at once is a message that was never promised.
        return !answer.fails || answer.chunks?.length !== 0;
      default:
        return true;
    }
  });
}

/** An UPDATE that removes nothing is none of a store's business. */
export function isEmptyCommit({ type, deletions }: ExpectedRequest): boolean {
  return type === 'commit' && Array.isArray(deletions) && deletions.length === 0;
}

/** @param waits - whether the adapters answer with promises and asynchronous bodies, or at once */
export async function runOnServe(transcript: Transcript, way: Way, waits: boolean): Promise<Outcome> {
  const { name, steps, maildrop } = transcript;
  const { tls = 'off', userPass, saslMechanisms, extensions = [], ...session } = sessionOptionsOf(transcript);
  const script = steps.filter(
    (step): step is Asked => step.type === 'request' && !isEmptyCommit(step.request),
  );
  const handshakes = steps.filter((step) => step.type === 'upgrade-tls');
  const segments = segmentsOf(steps).map((said) => arriving(said, way).values());
  const requests: ExpectedRequest[] = [];
  let offered = new Set(saslMechanisms?.map((mechanism) => mechanism.name));
  let output = '';

  const ask = (asked: ExpectedRequest): ScriptedAnswer => {
    const step = script.shift();
    if (step === undefined) throw new Error(`${name}: asked ${JSON.stringify(asked)} besides`);
    expectRequest(asked, step.request, `${name}:${step.line}`);
    requests.push(asked);
    return step.answer;
  };
  const given = <T>(value: T): MaybePromise<T> => (waits ? Promise.resolve().then(() => value) : value);
  const retrieve = (messageNumber: number, topLines: number | null): MaybePromise<Body | 'gone'> => {
    const answer = ask({ type: 'retrieve', messageNumber, topLines });
    if (answer.type === 'gone') return given('gone');
    if (answer.type !== 'message') throw new Error('scripted');
    const texts = answer.chunks ?? [maildrop[messageNumber - 1]?.text ?? ''];
    const chunks = texts.flatMap((text) => arriving(text, way));
    return given(waits ? asynchronous(chunks, answer.fails) : synchronous(chunks, answer.fails));
  };
  const mechanism = (mechanismName: string): SaslServerMechanism => ({
    name: mechanismName,
    plaintext: mechanismsNamed([mechanismName])[0]?.plaintext ?? false,
    credentials: 'external',
    available: () => offered.has(mechanismName),
    start() {
      let started = false;
      return {
        step(response) {
          const text = response && latin1(response);
          const asked: ExpectedRequest = started
            ? { type: 'sasl-step', response: text }
            : { type: 'sasl-start', mechanism: mechanismName, initialResponse: text };
          started = true;
          return given(saslOutcomeOf(ask(asked)));
        },
      };
    },
  });
  const extension = (command: ExtensionCommand): Pop3Extension => ({
    ...command,
    run(argument, context) {
      const { identity, isMarked } = context;
      const marks = identity && maildrop.map((_, index) => index + 1).filter(isMarked);
      const answer = ask({
        type: 'extension',
        verb: command.verb,
        argument: argument && latin1(argument),
        marks,
      });
      if (answer.type !== 'replied') throw new Error('scripted');
      const { peer, ...reply } = answer;
      if (peer === 'encrypted') context.peer = ENCRYPTED;
      return given(reply);
    },
  });
  const everOffered = [...offered, ...handshakes.flatMap((step) => step.mechanisms ?? [])];

  const closed = await serve({
    channel: {
      read: () => given(segments[0]?.next().value ?? null),
      write(chunk) {
        output += latin1(chunk);
        return given(undefined);
      },
      ...(tls === 'offered' && {
        upgradeTls() {
          segments.shift();
          const { mechanisms = null } = handshakes.shift() ?? {};
          if (mechanisms !== null) offered = new Set(mechanisms);
          return given(ENCRYPTED);
        },
      }),
    },
    peer: tls === 'active' ? ENCRYPTED : CLEAR,
    mechanisms: [...new Set(everOffered)].map(mechanism),
    extensions: extensions.map(extension),
    authenticator: {
      accepts: ['external', 'apop', ...(userPass === false ? [] : ['password' as const])],
      authenticate({ type: credentials, ...rest }) {
        return given(outcomeOf(ask({ ...rest, credentials, type: 'authenticate' })));
      },
    },
    store: {
      open(identity) {
        const answer = ask({ type: 'open-maildrop', ...identity });
        if (answer.type !== 'opened') return given(refusalOf(answer));
        return given({
          listing: listingOf(transcript),
          retrieve: (messageNumber) => retrieve(messageNumber, null),
          top: (messageNumber, lines) => retrieve(messageNumber, lines),
          commitDeletes(deletions) {
            const committed = ask({ type: 'commit', deletions: [...deletions] });
            if (committed.type !== 'committed') throw new Error('scripted');
            return given(committed);
          },
          release: () => given(undefined),
        });
      },
    },
    session,
    onFault({ error }) {
      if ((error as Error).message !== 'scripted') throw error;
    },
  });
  return { output, requests, closed };
}

type Asked = Extract<Step, { type: 'request' }>;

/** What the client says before each TLS handshake, and after the last. */
function segmentsOf(steps: readonly Step[]): string[] {
  const segments = [''];
  for (const step of steps) {
    if (step.type === 'upgrade-tls') segments.push('');
    if (step.type === 'client') segments[segments.length - 1] += step.octets;
  }
  return segments;
}

function refusalOf(answer: ScriptedAnswer): Extract<AuthOutcome, { type: 'refused' }> {
  if (answer.type !== 'refused') throw new Error(`${answer.type} is no refusal`);
  const { type, reason, text } = answer;
  return { type, reason: reason as 'temporary', ...(text === null ? {} : { text }) };
}

function outcomeOf(answer: ScriptedAnswer): AuthOutcome {
  return answer.type === 'accepted' ? answer : refusalOf(answer);
}

function saslOutcomeOf(answer: ScriptedAnswer): SaslOutcome {
  return answer.type === 'challenge'
    ? { type: 'challenge', challenge: octets(answer.challenge) }
    : outcomeOf(answer);
}

function* synchronous(chunks: readonly Uint8Array[], fails: boolean): Generator<Uint8Array> {
  yield* chunks;
  if (fails) throw new Error('scripted');
}

async function* asynchronous(chunks: readonly Uint8Array[], fails: boolean): AsyncGenerator<Uint8Array> {
  yield* chunks;
  if (fails) throw new Error('scripted');
}
