/** Runs transcripts against the client session: it says the `C` lines and is given the `S` lines. */
import { decodeBase64 } from '../src/base64.js';
import { parseCapabilities } from '../src/capability.js';
import type { ClientState } from '../src/client/options.js';
import { type ClientAction, ClientSession } from '../src/client/session.js';
import { type ClientCommand, encodeCommand, parseCommand, type Verb } from '../src/command.js';
import { isPop3Error } from '../src/errors.js';
import { parseStatusLine } from '../src/response.js';
import { decodeName } from '../src/text.js';
import { latin1, octets } from './stored-message.js';
import type { Transcript } from './transcript.js';
import { arriving, type Way } from './transcript-server.js';

const LOGINS: readonly (Verb | null)[] = ['PASS', 'APOP', 'AUTH'];

/** `tersely`: octet by octet, and the server says no text and ends its lines with a bare LF, as some do. */
type ClientWay = Way | 'tersely';

/** Why a client does not say a line. */
export type Unsaid =
  /** It is no command, or no response to a challenge, or has no end. */
  | 'malformed'
  /** The session does not take the command in this state. */
  | 'wrong state'
  /** It stands behind a command whose answer is the last, or behind STLS. */
  | 'behind a barrier';

/** What came of a transcript; the same in every way. */
export interface ClientOutcome {
  /** What the session has written. */
  readonly written: string;
  /** Everything that it has told its caller, and the state after each. */
  readonly told: readonly Told[];
  readonly unsaid: readonly Unsaid[];
  /** Lines that were said in another form than they are written down. */
  readonly otherForm: number;
}

type Told = readonly [what: string, ...details: readonly unknown[]];

/** A line of the client, and what the server says to it. */
interface Line {
  readonly text: string;
  /** With its line end. */
  readonly octets: string;
  /** How many lines the server has said before. */
  readonly after: number;
  /** Whether a challenge is open. */
  sasl: boolean;
  /** Whether the extension behind it answers in several lines. */
  extensionLines: boolean;
  readonly answer: string[];
  answered: boolean;
  /** Whether the server has forgotten it: it was behind STLS. */
  forgotten: boolean;
  unsaid: Unsaid | null;
}

/** A line of the server; the greeting is said to nobody. */
interface Heard {
  readonly octets: string;
  readonly to: Line | null;
}

interface Dialogue {
  readonly lines: readonly Line[];
  readonly heard: readonly Heard[];
  /** How many lines of the server came before each handshake. */
  readonly handshakes: readonly number[];
}

/** Finds out who answers what. */
function dialogueOf({ name, steps }: Transcript, way: ClientWay): Dialogue {
  const lines: Line[] = [];
  const open: Line[] = [];
  const heard: Heard[] = [];
  const handshakes: number[] = [];
  let unfinished = '';
  let heardText = '';
  let greeted = false;
  let challenged = false;

  const said = (octets: string) => {
    const line: Line = {
      text: octets.replace(/\r?\n$/, ''),
      octets,
      after: heard.length,
      sasl: false,
      extensionLines: false,
      answer: [],
      answered: false,
      forgotten: false,
      unsaid: null,
    };
    lines.push(line);
    open.push(line);
    return line;
  };
  const finish = () => {
    if (unfinished !== '') said(unfinished);
    unfinished = '';
  };
  const hear = (octets: string) => {
    if (!greeted) {
      greeted = true;
      return void heard.push({ octets, to: null });
    }
    if (open.length === 0) finish();
    const [to] = open;
    if (to === undefined) throw new Error(`${name}: ${JSON.stringify(octets)} is no answer`);
    if (challenged && to.answer.length === 0) to.sasl = true;
    heard.push({ octets, to });
    to.answer.push(octets);
    const [status = ''] = to.answer;
    const challenge = status.startsWith('+ ');
    to.answered = status.startsWith('+OK') && hasLines(to) ? octets === '.\r\n' : octets.endsWith('\n');
    if (!to.answered) return;
    challenged = challenge;
    open.shift();
  };

  for (const step of steps) {
    switch (step.type) {
      case 'client':
        unfinished += step.octets;
        for (let end = unfinished.indexOf('\n'); end !== -1; end = unfinished.indexOf('\n')) {
          said(unfinished.slice(0, end + 1));
          unfinished = unfinished.slice(end + 1);
        }
        break;
      case 'request':
        if (step.answer.type === 'replied' && step.answer.lines !== undefined) {
          for (const line of open.slice(0, 1)) line.extensionLines = true;
        }
        break;
      case 'server': {
        const { octets, anyText } = step.expected;
        heardText += anyText
          ? `${octets}${way === 'tersely' ? '' : 'some text'}`.trimEnd().concat('\r\n')
          : octets;
        const whole = heardText.split(/(?<=\n)/);
        heardText = heardText.endsWith('\n') ? '' : (whole.pop() ?? '');
        for (const line of whole) hear(line);
        break;
      }
      case 'upgrade-tls':
        finish();
        for (const line of open.splice(0)) line.forgotten = true;
        handshakes.push(heard.length);
        break;
      case 'eof':
      case 'abort':
      case 'close':
        break;
    }
  }
  if (heardText !== '') hear(heardText);
  finish();
  for (const line of open.slice(0, 1)) line.sasl ||= challenged && line.answer.length === 0;
  forgetMalformed(lines);
  return { lines, heard, handshakes };
}

/** An exchange that has to be ended by something malformed cannot be begun. */
function forgetMalformed(lines: readonly Line[]): void {
  for (const [index, line] of lines.entries()) {
    if (line.forgotten) line.unsaid = 'behind a barrier';
    else if (line.sasl ? responseOf(line) === undefined : commandOf(line) === null) line.unsaid = 'malformed';
    if (!line.sasl || line.unsaid === null || !line.answered) continue;
    for (let before = index; lines[before]?.sasl; before--) {
      const begun = lines[before - 1];
      if (begun !== undefined) begun.unsaid = 'malformed';
    }
  }
}

/** The command that a line is, or null when a client cannot say it, or not so that it means the same. */
function commandOf({ text, octets: line, extensionLines }: Line): ClientCommand | null {
  const command = readBy(text, extensionLines);
  if (command === null || !line.endsWith('\n')) return null;
  try {
    const canonical = latin1(encodeCommand(command)).slice(0, -2);
    return loosely(canonical) === loosely(text) ? command : null;
  } catch {
    return null;
  }
}

function readBy(text: string, multiline: boolean): ClientCommand | null {
  const parsed = parseCommand(octets(text));
  if (parsed.ok) return parsed.command;
  if (parsed.verb !== null) return null;
  const [, keyword = '', argument] = /^([^ ]*)(?: (.*))?$/s.exec(text) ?? [];
  return {
    verb: null,
    keyword,
    argument: argument === undefined ? null : decodeName(octets(argument)),
    multiline,
  };
}

/** What RFC 1939 does not tell apart, and what servers put up with. */
function loosely(line: string): string {
  return line
    .replace(/ +/g, ' ')
    .replace(/ $/, '')
    .replace(/ 0+(?=\d)/g, ' ')
    .toLowerCase();
}

/** What answers a challenge: octets, null for `*`, undefined for what no client says. */
function responseOf({ text, octets: line }: Line): Uint8Array | null | undefined {
  if (!line.endsWith('\n')) return undefined;
  return text === '*' ? null : (decodeBase64(text) ?? undefined);
}

function hasLines(line: Line): boolean {
  const command = readBy(line.text, line.extensionLines);
  if (line.sasl || command === null) return false;
  if (command.verb === null) return command.multiline;
  if (command.verb === 'LIST' || command.verb === 'UIDL') return command.messageNumber === null;
  return /^(?:CAPA|RETR|TOP|AUTH)$/.test(command.verb) && !('mechanism' in command && command.mechanism);
}

/** What happens, in order: the client says something, or is told something. */
type Event =
  | { readonly type: 'say'; readonly line: Line }
  | { readonly type: 'hear'; readonly octets: string }
  | { readonly type: 'upgrade-tls' };

/** Runs a transcript against a session and throws where they differ. */
export function runOnClient(transcript: Transcript, way: ClientWay): ClientOutcome {
  const dialogue = dialogueOf(transcript, way);
  const events = rehearsed(transcript, dialogue);
  const run = new Run(transcript);
  for (const event of way === 'whole' ? inOneGo(events) : events) run.play(event, way);
  run.end();
  const said = dialogue.lines.filter(({ unsaid }) => unsaid === null);
  const expected = expectedOf(transcript, dialogue, said, way === 'tersely');
  for (const [index, told] of run.told.entries()) {
    if (JSON.stringify(told) === JSON.stringify(expected[index])) continue;
    const text = `told ${JSON.stringify(told)}, expected ${JSON.stringify(expected[index])}`;
    throw new Error(`${transcript.name} (${way}): ${text}`);
  }
  if (run.told.length < expected.length) {
    throw new Error(`${transcript.name} (${way}): never told ${JSON.stringify(expected[run.told.length])}`);
  }
  const canonical = said.map((line) => (line.sasl ? line.octets : latin1(encodeCommand(commandOf(line)!))));
  if (run.written !== canonical.join('')) {
    throw new Error(`${transcript.name} (${way}): wrote ${JSON.stringify(run.written)}`);
  }
  return {
    written: run.written,
    told: run.told,
    unsaid: dialogue.lines.flatMap(({ unsaid }) => unsaid ?? []),
    otherForm: said.filter((line, i) => line.octets !== canonical[i]).length,
  };
}

/**
 * Lets a client say each line as soon as the transcript says it and the session takes it: what stands behind a barrier
 * is said after the answer. What it never takes is left out, and so is the answer to it.
 */
function rehearsed(transcript: Transcript, { lines, heard, handshakes }: Dialogue): Event[] {
  const run = new Run(transcript);
  const events: Event[] = [];
  const play = (event: Event) => {
    run.play(event, 'line by line');
    events.push(event);
  };
  let next = 0;
  const say = (at: number) => {
    for (; next < lines.length; next++) {
      const line = lines[next] as Line;
      if (line.unsaid !== null) continue;
      if (line.after > at) return;
      const taken = run.say(line);
      if (taken === 'not yet') return;
      if (taken === 'never') line.unsaid = 'wrong state';
      else events.push({ type: 'say', line });
    }
  };
  for (let at = 0; at <= heard.length; at++) {
    if (handshakes.includes(at)) play({ type: 'upgrade-tls' });
    say(at);
    const line = heard[at];
    if (line === undefined || line.to?.unsaid) continue;
    play({ type: 'hear', octets: line.octets });
  }
  for (const line of lines.slice(next)) line.unsaid ??= 'behind a barrier';
  return events;
}

/** What the server says without a word of the client in between comes in one chunk. */
function inOneGo(events: readonly Event[]): Event[] {
  const joined: Event[] = [];
  for (const event of events) {
    const last = joined.at(-1);
    if (event.type === 'hear' && last?.type === 'hear') {
      joined[joined.length - 1] = { type: 'hear', octets: last.octets + event.octets };
    } else {
      joined.push(event);
    }
  }
  return joined;
}

class Run {
  readonly #transcript: Transcript;
  readonly #session: ClientSession;
  readonly #commands: ClientCommand[] = [];
  readonly told: Told[] = [];
  written = '';
  #last: ClientAction['type'] = 'wait';
  #challenged = false;

  constructor(transcript: Transcript) {
    this.#transcript = transcript;
    this.#session = new ClientSession({ tls: transcript.session.get('tls') === 'active' });
    this.#proceed();
  }

  /** Whether the session takes the line; it may do so when what is outstanding was answered. */
  say(line: Line): 'now' | 'not yet' | 'never' {
    const { pending, state } = this.#session;
    try {
      if (line.sasl) {
        this.#session.sendSaslResponse(responseOf(line) as Uint8Array | null);
      } else {
        const command = commandOf(line) as ClientCommand;
        this.#session.send(command);
        this.#commands.push(command);
        if (command.verb === 'QUIT' && state === 'transaction') this.#expect(this.#session.state, 'update');
        this.#expect(this.#session.pending, pending + 1);
      }
    } catch (error) {
      if (!isPop3Error(error)) throw error;
      return pending > 0 || this.#closed || this.#last === 'upgrade-tls' ? 'not yet' : 'never';
    }
    this.#proceed();
    return 'now';
  }

  play(event: Event, way: ClientWay): void {
    switch (event.type) {
      case 'say':
        this.#expect(this.say(event.line), 'now');
        break;
      case 'hear':
        for (const chunk of chunksIn(event.octets, way)) {
          this.#session.receive(chunk);
          this.#proceed();
        }
        break;
      case 'upgrade-tls':
        this.#expect(this.#last, 'upgrade-tls');
        this.#session.tlsUpgraded();
        this.told.push(['encrypted', this.#session.capabilities]);
        this.#proceed();
    }
  }

  /** The server closes the connection, or the session is still open. */
  end(): void {
    if (this.#closed) return;
    if (this.#transcript.steps.at(-1)?.type !== 'close') {
      const waits = this.#session.pending === 0 || this.#challenged;
      if (this.#last !== 'upgrade-tls') this.#expect(this.#last, waits ? 'wait' : 'read');
      return;
    }
    this.#session.receiveEnd();
    this.#proceed();
    if (this.#closed) return;
    if (this.#last === 'upgrade-tls') this.#session.abort();
    // Somebody who waits for nothing is not disturbed; what is said next finds out.
    else if (this.#challenged) this.#session.sendSaslResponse(null);
    else if (this.#last === 'wait') this.#session.send({ verb: 'QUIT' });
    const { written } = this;
    this.#proceed();
    this.written = written;
  }

  get #closed(): boolean {
    return this.#last === 'close';
  }

  #proceed(): void {
    for (;;) {
      const action = this.#session.next();
      this.#last = action.type;
      switch (action.type) {
        case 'write':
          this.written += latin1(action.octets);
          this.#challenged = false;
          break;
        case 'greeting':
          this.told.push(['greeting', [action.status, action.apopTimestamp, this.#session.state]]);
          break;
        case 'response': {
          const { command, status, multiline } = action;
          const state = stateBehind(command, this.#session.state);
          this.#tell('response', command, [status, multiline, state, this.#session.capabilities !== null]);
          break;
        }
        case 'body': {
          const text = latin1(action.octets);
          const last = this.told.at(-1);
          const more = last?.[0] === 'body' ? this.told.pop() : undefined;
          this.#tell('body', action.command, `${more?.[2] ?? ''}${text}`);
          break;
        }
        case 'body-end':
          this.#tell(
            'body-end',
            action.command,
            this.#session.capabilities && [...this.#session.capabilities],
          );
          break;
        case 'challenge':
          this.#challenged = true;
          this.#tell('challenge', action.command, latin1(action.challenge));
          break;
        case 'upgrade-tls':
          if (this.told.at(-1)?.[0] !== 'handshake') this.told.push(['handshake']);
          return;
        case 'close':
          this.told.push(['close', [action.failure, this.#session.state]]);
          return;
        default:
          return;
      }
    }
  }

  #tell(what: string, command: ClientCommand, details: unknown): void {
    const index = this.#commands.indexOf(command);
    if (index === -1) throw new Error(`${this.#transcript.name}: a ${what} for no command that was sent`);
    this.told.push([what, index, details]);
  }

  #expect(actual: unknown, expected: unknown): void {
    if (actual !== expected) throw new Error(`${this.#transcript.name}: ${actual} and not ${expected}`);
  }
}

function withBareLf(text: string): string {
  return text.replace(/\r+\n/g, '\n');
}

function chunksIn(text: string, way: ClientWay): Uint8Array[] {
  return way === 'tersely' ? arriving(withBareLf(text), 'octet by octet') : arriving(text, way);
}

/** The state where the answer decides it. */
function stateBehind({ verb }: ClientCommand, state: ClientState): ClientState | null {
  return verb === 'QUIT' || LOGINS.includes(verb) ? state : null;
}

/** What the session has to tell, by the rules of RFC 1939 on the text of the transcript. */
function expectedOf(
  transcript: Transcript,
  dialogue: Dialogue,
  said: readonly Line[],
  tersely: boolean,
): Told[] {
  const told: Told[] = [];
  let state: ClientState = 'authorization';
  let capabilities: [string, readonly string[]][] | null = null;
  let command = -1;
  let closed = false;
  const [greeting] = dialogue.heard;
  if (greeting !== undefined) {
    const line = octets(greeting.octets.slice(0, -2));
    const timestamp = /<[^\s<>@]+@[^\s<>@]+>/.exec(greeting.octets)?.[0] ?? null;
    told.push(['greeting', [parseStatusLine(line), timestamp, state]]);
  }
  for (const line of said) {
    if (!line.sasl) command++;
    const verb = line.sasl ? 'AUTH' : (commandOf(line)?.verb ?? null);
    const [first, ...lines] = line.answer;
    if (first === undefined) continue;
    if (first.startsWith('+ ')) {
      told.push(['challenge', command, latin1(decodeBase64(first.slice(2, -2)) as Uint8Array)]);
      continue;
    }
    const status = parseStatusLine(octets(first.slice(0, -2)));
    const ok = first.startsWith('+OK');
    const multiline = ok && hasLines(line);
    if (verb === 'QUIT') closed = true;
    const login = ok && !multiline && LOGINS.includes(verb);
    if (login) {
      state = 'transaction';
      capabilities = null;
    }
    const behind = stateBehind({ verb } as ClientCommand, closed ? 'closed' : state);
    told.push(['response', command, [status, multiline, behind, capabilities !== null]]);
    if (verb === 'STLS' && ok) {
      told.push(['handshake']);
      if (dialogue.handshakes.length > 0) told.push(['encrypted', null]);
      capabilities = null;
    }
    if (!multiline) continue;
    const text = lines.join('').replace(/(?<=^|\r\n)\.\r\n$/, '');
    const body = text.replace(/(?<=^|\r\n)\./g, '');
    if (body !== '') told.push(['body', command, tersely ? withBareLf(body) : body]);
    if (verb === 'CAPA') capabilities = [...parseCapabilities(text.split('\r\n'))];
    if (line.answered) told.push(['body-end', command, capabilities]);
  }
  const ended = transcript.steps.at(-1)?.type === 'close';
  const handshake = told.at(-1)?.[0] === 'handshake';
  if (closed) told.push(['close', [null, 'closed']]);
  else if (ended) told.push(['close', [handshake ? 'aborted' : 'peer-closed', 'closed']]);
  return told;
}
