/** Runs transcripts against the server session. */
import type { Credentials } from '../src/adapter.js';
import type { ExtensionCommand, ExtensionState } from '../src/extension.js';
import { MaildropListing } from '../src/listing.js';
import { wireOctetsOf } from '../src/octet-counter.js';
import type { OfferedMechanism, ServerLimits, ServerSessionOptions } from '../src/server/options.js';
import type { AnswerTo, ServerRequest } from '../src/server/requests.js';
import { ServerSession } from '../src/server/session.js';
import { latin1, octets } from './stored-message.js';
import {
  type ExpectedLine,
  type ExpectedRequest,
  listOf,
  type ScriptedAnswer,
  type Step,
  type Transcript,
} from './transcript.js';

/** How much of what a peer has to say arrives at once. `whole`: everything up to the next TLS handshake. */
export const WAYS = ['whole', 'line by line', 'octet by octet'] as const;
export type Way = (typeof WAYS)[number];

/** What came of a transcript; the same in every way. */
export interface Outcome {
  readonly output: string;
  readonly requests: readonly ExpectedRequest[];
  readonly closed: string | null;
}

const PLAINTEXT: ReadonlySet<string> = new Set(['PLAIN', 'LOGIN', 'OAUTHBEARER', 'XOAUTH2']);

export function mechanismsNamed(names: readonly string[]): OfferedMechanism[] {
  return names.map((name) => ({ name, plaintext: PLAINTEXT.has(name) }));
}

export function listingOf({ maildrop }: Transcript): MaildropListing {
  return MaildropListing.of(
    maildrop.map(({ text, uniqueId }) => ({ octets: wireOctetsOf(octets(text)), uniqueId })),
  );
}

/** Cuts octets as they arrive in this way. */
export function arriving(text: string, way: Way): Uint8Array[] {
  if (way === 'whole') return text === '' ? [] : [octets(text)];
  return (way === 'line by line' ? text.split(/(?<=\n)/) : [...text]).filter(Boolean).map(octets);
}

/** `VERB:transaction` or `VERB:authorization+transaction`, announced as `X-` and its letters. */
export function extensionNamed(written: string): ExtensionCommand {
  const [verb = '', states = ''] = written.split(':');
  return {
    verb,
    states: states.split('+') as ExtensionState[],
    capabilities: [`X-${verb.replaceAll(/[^A-Z]/g, '')}`],
  };
}

type Setting = (value: string) => Partial<Omit<ServerSessionOptions, 'limits'>>;

const SETTINGS: Record<string, Setting> = {
  greeting: (greeting) => ({ greeting }),
  apop: (apopTimestamp) => ({ apopTimestamp }),
  'user-pass': (value) => ({ userPass: value !== 'off' }),
  mechanisms: (value) => ({ saslMechanisms: mechanismsNamed(listOf(value)) }),
  tls: (tls) => ({ tls: tls as 'off' | 'offered' | 'active' }),
  'plaintext-auth': (value) => ({ plaintextAuth: value as 'refuse' | 'allow' }),
  implementation: (implementation) => ({ implementation }),
  expire: (value) => ({ expire: value === 'never' ? 'never' : Number(value) }),
  'greeting-code': (greetingCode) => ({ greetingCode }),
  extensions: (value) => ({ extensions: listOf(value).map(extensionNamed) }),
  'login-delay': (value) => ({ loginDelaySeconds: Number(value) }),
};

const LIMITS: Record<string, (value: number) => Partial<ServerLimits>> = {
  'max-command-octets': (maxCommandOctets) => ({ maxCommandOctets }),
  'max-sasl-line-octets': (maxSaslLineOctets) => ({ maxSaslLineOctets }),
  'max-bad-commands': (maxBadCommands) => ({ maxBadCommands }),
  'max-auth-failures': (maxAuthFailures) => ({ maxAuthFailures }),
};

export function sessionOptionsOf({ name, session }: Transcript): ServerSessionOptions {
  let options: ServerSessionOptions = {};
  let limits: Partial<ServerLimits> = {};
  for (const [key, value] of session) {
    const setting = SETTINGS[key];
    const limit = LIMITS[key];
    if (setting !== undefined) options = { ...options, ...setting(value) };
    else if (limit !== undefined) limits = { ...limits, ...limit(Number(value)) };
    else throw new Error(`${name}: ${key} is no setting of a session`);
  }
  return { ...options, limits };
}

/** A request as transcripts write it. */
export function written(request: ServerRequest): ExpectedRequest {
  switch (request.type) {
    case 'authenticate': {
      const { type: credentials, ...rest } = request.credentials satisfies Credentials;
      return { ...rest, credentials, type: request.type };
    }
    case 'open-maildrop':
      return { type: request.type, ...request.identity };
    case 'sasl-start': {
      const { type, mechanism, initialResponse } = request;
      return { type, mechanism, initialResponse: initialResponse && latin1(initialResponse) };
    }
    case 'sasl-step':
      return { type: request.type, response: latin1(request.response) };
    case 'retrieve':
      return { ...request };
    case 'extension': {
      const { type, verb, argument, marks } = request;
      return { type, verb, argument: argument && latin1(argument), marks: marks && [...marks] };
    }
    case 'commit':
      return { type: request.type, deletions: [...request.deletions] };
  }
}

/** Throws unless the request holds everything that was written down of it. */
export function expectRequest(actual: ExpectedRequest, expected: ExpectedRequest, where: string): void {
  for (const [attribute, value] of Object.entries(expected)) {
    if (JSON.stringify(actual[attribute]) === JSON.stringify(value)) continue;
    throw new Error(`${where}: asked ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
  }
}

/** Where what was said differs from what should be, or null. */
export function difference(output: string, expected: readonly ExpectedLine[], name: string): string | null {
  let at = 0;
  for (const { octets: line, anyText } of expected) {
    const crlf = output.indexOf('\r\n', at);
    const end = crlf === -1 ? output.length : crlf + 2;
    const textAt = at + line.length;
    // A status line that is written without a response code must not have one.
    const someText = !anyText || (textAt < end - 2 && output[textAt] !== '[');
    const matches = output.startsWith(line, at) && someText;
    if (!matches) {
      return `${name}: said ${JSON.stringify(output.slice(at, end))}, expected ${JSON.stringify(line)}`;
    }
    at = anyText ? end : textAt;
  }
  return at === output.length ? null : `${name}: said ${JSON.stringify(output.slice(at))} besides`;
}

type Asked = Extract<Step, { type: 'request' }>;

/** Runs a transcript against a session and throws where they differ. */
export function runOnSession(transcript: Transcript, way: Way): Outcome {
  return new Run(transcript, way).run();
}

class Run {
  readonly #transcript: Transcript;
  readonly #way: Way;
  readonly #session: ServerSession;
  readonly #listing: MaildropListing;
  readonly #expected: ExpectedLine[] = [];
  readonly #script: Asked[];
  readonly #requests: ExpectedRequest[] = [];
  #output = '';
  #handshakeAsked = false;
  #closed: string | null = null;
  #body: { readonly chunks: Uint8Array[]; readonly fails: boolean } | null = null;

  constructor(transcript: Transcript, way: Way) {
    this.#transcript = transcript;
    this.#way = way;
    this.#session = new ServerSession(sessionOptionsOf(transcript));
    this.#listing = listingOf(transcript);
    this.#script = transcript.steps.filter((step) => step.type === 'request');
  }

  run(): Outcome {
    const { steps, name } = this.#transcript;
    this.#proceed();
    for (const [index, step] of steps.entries()) {
      const where = `${name}:${step.line} (${this.#way})`;
      if (this.#way === 'whole' && (index === 0 || steps[index - 1]?.type === 'upgrade-tls')) {
        this.#sayAllUntilHandshake(steps.slice(index));
      }
      switch (step.type) {
        case 'server':
          this.#expected.push(step.expected);
          break;
        case 'client':
          if (this.#way === 'whole') break;
          this.#expectSaid(where);
          this.#receive(step.octets);
          break;
        case 'request':
          if (this.#script.includes(step)) throw new Error(`${where}: has not been asked`);
          break;
        case 'upgrade-tls': {
          if (!this.#handshakeAsked) throw new Error(`${where}: no handshake was asked for`);
          this.#handshakeAsked = false;
          this.#expectSaid(where);
          const { mechanisms } = step;
          this.#session.tlsUpgraded(
            mechanisms === null ? {} : { saslMechanisms: mechanismsNamed(mechanisms) },
          );
          this.#proceed();
          break;
        }
        case 'eof':
          this.#session.receiveEnd();
          this.#proceed();
          break;
        case 'abort':
          this.#session.abort(step.reason as 'aborted');
          this.#proceed();
          break;
        case 'close':
          if (this.#closed === step.reason) break;
          throw new Error(`${where}: ${this.#closed === null ? 'is open' : `closed with ${this.#closed}`}`);
      }
    }
    const wrong = difference(this.#output, this.#expected, `${name} (${this.#way})`);
    if (wrong !== null) throw new Error(wrong);
    if (this.#closed !== null && steps.at(-1)?.type !== 'close') {
      throw new Error(`${name}: closed with ${this.#closed}`);
    }
    return { output: this.#output, requests: this.#requests, closed: this.#closed };
  }

  /** The end of the input comes with it, so that nothing can depend on when it is noticed. */
  #sayAllUntilHandshake(steps: readonly Step[]): void {
    let said = '';
    let ends = false;
    for (const step of steps) {
      if (step.type === 'upgrade-tls' || step.type === 'abort') break;
      if (step.type === 'client') said += step.octets;
      ends ||= step.type === 'eof';
    }
    if (said !== '') this.#session.receive(octets(said));
    if (ends) this.#session.receiveEnd();
    this.#proceed();
  }

  #receive(text: string): void {
    for (const chunk of arriving(text, this.#way)) {
      this.#session.receive(chunk);
      this.#proceed();
    }
  }

  /** What stands above a line of the client has been said before the client says it. */
  #expectSaid(where: string): void {
    const said = this.#expected.length;
    const lines = this.#output.split('\r\n').length - 1;
    if (lines < said && difference(this.#output, this.#expected, where) !== null) {
      throw new Error(`${where}: only ${JSON.stringify(this.#output)} has been said before`);
    }
  }

  #proceed(): void {
    for (;;) {
      const action = this.#session.next();
      switch (action.type) {
        case 'write':
          this.#output += latin1(action.octets);
          break;
        case 'request':
          this.#work(action.request);
          break;
        case 'read-body': {
          const chunk = this.#body?.chunks.shift();
          if (chunk !== undefined) this.#session.body(chunk);
          else if (this.#body?.fails) this.#session.bodyFailed();
          else this.#session.bodyEnd();
          break;
        }
        case 'end-body':
          if (this.#body === null) throw new Error(`${this.#transcript.name}: ended a body twice`);
          this.#body = null;
          break;
        case 'upgrade-tls':
          this.#handshakeAsked = true;
          break;
        case 'close':
          this.#closed = action.reason;
          return;
        default:
          return;
      }
    }
  }

  #work(request: ServerRequest): void {
    const { name } = this.#transcript;
    const asked = written(request);
    const step = this.#script.shift();
    if (step === undefined) throw new Error(`${name}: asked ${JSON.stringify(asked)} besides`);
    expectRequest(asked, step.request, `${name}:${step.line}`);
    this.#requests.push(asked);
    const { answer } = step;
    if (answer.type === 'pending') return;
    if (answer.type === 'message' && request.type === 'retrieve') {
      const { chunks, fails } = answer;
      const message = this.#transcript.maildrop[request.messageNumber - 1]?.text ?? '';
      this.#body = { chunks: (chunks ?? [message]).flatMap((chunk) => arriving(chunk, this.#way)), fails };
    }
    this.#session.answer(request, answerOf(answer, this.#listing));
  }
}

function answerOf(answer: ScriptedAnswer, listing: MaildropListing): AnswerTo<ServerRequest> {
  switch (answer.type) {
    case 'challenge':
      return { type: answer.type, challenge: octets(answer.challenge) };
    case 'opened':
      return { type: answer.type, listing };
    case 'refused': {
      const { type, reason, text } = answer;
      return { type, reason: reason as 'temporary', ...(text === null ? {} : { text }) };
    }
    case 'message':
      return { type: answer.type };
    case 'replied': {
      const { peer, ...reply } = answer;
      return { ...reply, ...(peer === 'encrypted' && { changes: { tls: 'active' } }) };
    }
    case 'accepted':
    case 'gone':
    case 'committed':
      return answer;
    case 'pending':
      throw new Error('This is no answer.');
  }
}
