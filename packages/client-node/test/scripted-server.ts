/**
 * A server that answers as a test has written it down, and remembers everything it was told. What a test leaves out is
 * answered by {@link WELL_BEHAVED}, so a script shows nothing but the quirk:
 *
 *     S: +OK ready            the greeting: what is said before the first `C:`
 *     C: UIDL                 when the client says this ...
 *     S: -ERR not today       ... this line and CRLF is the answer, the first time
 *     C: UIDL
 *     S: +OK                  the second time, and from then on
 *     S: .
 *
 * | line | meaning |
 * |---|---|
 * | `C: ...` | The answer to this command follows. With `*` at its end: to any command that starts like this. |
 * | `C> ...` | Within an answer: the client says this next, such as the response to a challenge. `*` is any line. |
 * | `S: ...` | Says this line and a line end. |
 * | `S\| ...` | Says exactly this. |
 * | `tls` | Does the TLS handshake. |
 * | `wait` | Goes on when the test calls `release()`. |
 * | `silence` | Says nothing any more, and listens. |
 * | `close` | Closes the connection in an orderly way. |
 * | `reset` | Drops the connection: TCP RST. |
 *
 * `\r`, `\n`, `\s`, `\\` and `\x00` stand for octets, so write scripts with `String.raw`.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';

/** Three messages of 23, 22 and 25 octets; USER and PASS; everything of RFC 1939 but APOP. */
export const WELL_BEHAVED = `
  S: +OK ready
  C: CAPA
  S: +OK
  S: TOP
  S: UIDL
  S: USER
  S: .
  C: USER ann
  S: +OK
  C: PASS secret
  S: +OK
  C: STAT
  S: +OK 3 70
  C: LIST
  S: +OK
  S: 1 23
  S: 2 22
  S: 3 25
  S: .
  C: LIST 1
  S: +OK 1 23
  C: LIST 2
  S: +OK 2 22
  C: UIDL
  S: +OK
  S: 1 id-1
  S: 2 id-2
  S: 3 id-3
  S: .
  C: UIDL 1
  S: +OK 1 id-1
  C: UIDL 2
  S: +OK 2 id-2
  C: RETR 1
  S: +OK
  S: Subject: one
  S:
  S: first
  S: .
  C: RETR 2
  S: +OK
  S: Subject: two
  S:
  S: ..dot
  S: .
  C: RETR 3
  S: +OK
  S: Subject: three
  S:
  S: third
  S: .
  C: TOP 1 0
  S: +OK
  S: Subject: one
  S:
  S: .
  C: DELE *
  S: +OK
  C: RSET
  S: +OK
  C: NOOP
  S: +OK
  C: QUIT
  S: +OK
  close
`;

/** The messages of {@link WELL_BEHAVED}, as they are. */
export const MESSAGES: readonly string[] = [
  'Subject: one\r\n\r\nfirst\r\n',
  'Subject: two\r\n\r\n.dot\r\n',
  'Subject: three\r\n\r\nthird\r\n',
];

export interface ScriptedServerOptions {
  /** Says each octet on its own, and the next one when the client has had its turn. */
  readonly octetByOctet?: boolean;
  /** What ends the lines of `S:`. Default CRLF. */
  readonly lineEnd?: string;
  /** Answers that are not worth writing down, by command: chunks as they are said. They go before the script's. */
  readonly answers?: Readonly<Record<string, () => Iterable<Uint8Array>>>;
  /** Ends what it says after so many octets of a connection. */
  readonly cut?: { readonly afterOctets: number; readonly how: 'close' | 'reset' | 'silence' };
  /** What becomes of what it says: the first octet is this one of the connection, from 0. */
  readonly alter?: (chunk: Uint8Array, first: number) => Uint8Array;
  /** Needed for `tls`. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

type Step =
  | { readonly type: 'say'; readonly chunks: () => Iterable<Uint8Array> }
  | { readonly type: 'hear'; readonly line: string }
  | { readonly type: 'tls' | 'wait' | 'silence' | 'close' | 'reset' };

interface Script {
  readonly greeting: readonly Step[] | null;
  /** The answers to a command, in the order of the times it comes. */
  readonly answers: ReadonlyMap<string, readonly (readonly Step[])[]>;
}

/** What a connection was used for. */
export interface Heard {
  /** The lines that the client has said, without their line ends. */
  readonly lines: readonly string[];
  /** Every octet, encrypted ones as they were meant. */
  readonly octets: string;
  /** What of it could be read on the way. */
  readonly clear: string;
  /** How many octets the server has said. */
  readonly answered: number;
  /** The most commands that were without an answer at the same time. */
  readonly mostInFlight: number;
  /** Whether the client has ended the connection. */
  readonly ended: boolean;
}

export class ScriptedServer implements AsyncDisposable {
  readonly #scripts: readonly Script[];
  readonly #options: ScriptedServerOptions;
  readonly #connections: ScriptedConnection[] = [];
  readonly #closers: (() => void)[] = [];
  #watchers: (() => void)[] = [];

  /** @param scripts - one for each connection in a row; the last one stays */
  constructor(scripts: string | readonly string[], options: ScriptedServerOptions = {}) {
    const base = parseScript(WELL_BEHAVED, '\r\n');
    const lineEnd = options.lineEnd ?? '\r\n';
    const written = [scripts].flat().map((text) => parseScript(text, lineEnd));
    this.#scripts = written.map((script) =>
      overlaid(script, lineEnd === '\r\n' ? base : parseScript(WELL_BEHAVED, lineEnd)),
    );
    this.#options = options;
  }

  get connections(): readonly Heard[] {
    return this.#connections;
  }

  /** The lines that were said in all connections. */
  get lines(): readonly string[] {
    return this.#connections.flatMap(({ lines }) => lines);
  }

  /** Every octet that was said in all connections. */
  get octets(): string {
    return this.#connections.map(({ octets }) => octets).join('');
  }

  /** Makes a connection in memory; give it as the option `socket`. */
  readonly socket = (): Duplex => {
    // One octet fills it, so none is joined with the one before.
    const [client, server] = duplexPair(this.#options.octetByOctet ? { readableHighWaterMark: 1 } : {});
    this.#serve(server, (error) => client.destroy(error));
    client.once('close', () => server.destroy());
    server.once('close', () => client.destroy());
    return client;
  };

  /** Listens on loopback. */
  async listen(): Promise<{ readonly host: string; readonly port: number }> {
    const server = createServer({ noDelay: true }, (socket: Socket) => {
      this.#serve(socket, () => socket.resetAndDestroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#closers.push(() => server.close());
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return { host: '127.0.0.1', port: address.port };
  }

  /** Resolves when so many connections are at `wait` or `silence`, or say nothing after a cut. */
  quiet(connections = 1): Promise<void> {
    return this.#until(() => this.#connections.filter(({ quiet }) => quiet).length >= connections);
  }

  /** Resolves when the client has said this line, `times` times. */
  heard(line: string, times = 1): Promise<void> {
    return this.#until(() => this.lines.filter((one) => one === line).length >= times);
  }

  /** Resolves when the client has ended this many connections. */
  ended(connections = 1): Promise<void> {
    return this.#until(() => this.#connections.filter(({ ended }) => ended).length >= connections);
  }

  /** Lets the connections go on that `wait`. */
  release(): void {
    for (const connection of this.#connections) connection.release();
  }

  /** Throws when the client has said what no script answers. */
  check(): void {
    for (const { failure } of this.#connections) if (failure !== null) throw failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers) close();
    for (const connection of this.#connections) connection.destroy();
  }

  #serve(peer: Duplex, reset: (error: Error) => void): void {
    const script = this.#scripts[Math.min(this.#connections.length, this.#scripts.length - 1)];
    if (script === undefined) throw new Error('no script');
    const tell = () => {
      const watchers = this.#watchers;
      this.#watchers = [];
      for (const watch of watchers) watch();
    };
    this.#connections.push(
      new ScriptedConnection(peer, script, this.#options, reset, this.#connections.length + 1, tell),
    );
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      this.check();
      await new Promise<void>((resolve) => {
        this.#watchers.push(resolve);
      });
    }
  }
}

class ScriptedConnection implements Heard {
  readonly lines: string[] = [];
  octets = '';
  clear = '';
  answered = 0;
  mostInFlight = 0;
  ended = false;
  quiet = false;
  failure: Error | null = null;

  readonly #script: Script;
  readonly #options: ScriptedServerOptions;
  readonly #reset: (error: Error) => void;
  readonly #number: number;
  readonly #tell: () => void;
  readonly #times = new Map<string, number>();
  #peer: Duplex;
  #unread: string[] = [];
  #partial = '';
  #reader: (() => void) | null = null;
  #released: (() => void) | null = null;
  #inFlight = 0;
  /** How many lines of the client belong to the answer under way. */
  #toHear = 0;

  constructor(
    peer: Duplex,
    script: Script,
    options: ScriptedServerOptions,
    reset: (error: Error) => void,
    number: number,
    tell: () => void,
  ) {
    this.#peer = peer;
    this.#script = script;
    this.#options = options;
    this.#reset = reset;
    this.#number = number;
    this.#tell = tell;
    this.#listen(peer);
    this.#run().catch((error: Error) => {
      this.failure ??= error;
      this.destroy();
    });
  }

  release(): void {
    this.quiet = false;
    this.#released?.();
  }

  destroy(): void {
    this.#peer.destroy();
  }

  #listen(peer: Duplex): void {
    peer.on('data', (chunk: Buffer) => this.#hear(chunk.toString('latin1')));
    // What becomes of the connection shows in what the client says about it.
    peer.on('error', () => undefined);
    const end = () => {
      this.ended = true;
      this.#reader?.();
      this.#released?.();
      this.#tell();
    };
    peer.on('end', end);
    peer.on('close', end);
  }

  #hear(octets: string): void {
    this.octets += octets;
    if (!(this.#peer instanceof TLSSocket)) this.clear += octets;
    const lines = (this.#partial + octets).split('\r\n');
    this.#partial = lines.pop() as string;
    for (const line of lines) {
      this.lines.push(line);
      this.#unread.push(line);
      if (this.#toHear > 0) this.#toHear--;
      else this.mostInFlight = Math.max(this.mostInFlight, ++this.#inFlight);
    }
    if (lines.length > 0) this.#reader?.();
    this.#tell();
  }

  /** The next line of the client, or null when there is none any more. */
  async #line(): Promise<string | null> {
    for (;;) {
      const line = this.#unread.shift();
      if (line !== undefined) return line;
      if (this.ended) return null;
      await new Promise<void>((resolve) => {
        this.#reader = resolve;
      });
      this.#reader = null;
    }
  }

  async #run(): Promise<void> {
    await this.#perform(this.#script.greeting ?? []);
    for (let line = await this.#line(); line !== null; line = await this.#line()) {
      const steps = this.#answerTo(line);
      this.#toHear = steps.filter(({ type }) => type === 'hear').length;
      // A client that does not wait for the answer says its next command now.
      await turn();
      await this.#perform(steps, () => this.#inFlight--);
    }
  }

  #answerTo(line: string): readonly Step[] {
    const chunks = this.#options.answers?.[line];
    if (chunks !== undefined) return [{ type: 'say', chunks }];
    const { answers } = this.#script;
    const key = answers.has(line) ? line : [...answers.keys()].find((key) => fits(key, line));
    if (key === undefined) {
      const before = this.lines.slice(0, -1).join(', ') || 'nothing';
      throw new Error(
        `connection ${this.#number}: no script answers ${JSON.stringify(line)}; before, the client said ${before}`,
      );
    }
    const times = this.#times.get(key) ?? 0;
    this.#times.set(key, times + 1);
    return answers.get(key)?.at(Math.min(times, (answers.get(key)?.length ?? 0) - 1)) ?? [];
  }

  /** @param last - called before the last octets: with them, the client has its answer */
  async #perform(steps: readonly Step[], last: () => void = () => undefined): Promise<void> {
    const lastSaid = steps.findLast(({ type }) => type === 'say');
    if (lastSaid === undefined) last();
    for (const [at, step] of steps.entries()) {
      // What the client says behind the answer belongs to the handshake.
      if (steps[at + 1]?.type === 'tls') this.#peer.removeAllListeners('data').pause();
      if (step === lastSaid) await this.#do(step, last);
      else await this.#do(step);
    }
  }

  async #do(step: Step, last: () => void = () => undefined): Promise<void> {
    switch (step.type) {
      case 'say': {
        let before: Uint8Array | null = null;
        for (const chunk of step.chunks()) {
          if (this.ended || this.#peer.destroyed) return;
          if (before !== null) await this.#say(before);
          before = chunk;
          // A network lets others have their turn, too.
          await turn();
        }
        if (before !== null) await this.#say(before, last);
        return;
      }
      case 'hear': {
        const line = await this.#line();
        if (line === null || fits(step.line, line)) return;
        throw new Error(`connection ${this.#number}: the script has ${step.line}, the client said ${line}`);
      }
      case 'tls':
        return this.#handshake();
      case 'wait':
        return this.#wait();
      case 'silence':
        return this.#silence();
      case 'close':
        this.#peer.end();
        return this.#overAndOut();
      case 'reset':
        return this.#drop();
    }
  }

  async #say(written: Uint8Array, last: () => void = () => undefined): Promise<void> {
    const { cut, alter, octetByOctet = false } = this.#options;
    const chunk = alter === undefined ? written : alter(written, this.answered);
    const left = cut === undefined ? Number.POSITIVE_INFINITY : cut.afterOctets - this.answered;
    const said = chunk.subarray(0, left);
    const step = octetByOctet ? 1 : Math.max(1, said.length);
    for (let at = 0; at < said.length && !this.ended; at += step) {
      if (at + step >= chunk.length) last();
      this.answered += Math.min(step, said.length - at);
      await this.#write(said.subarray(at, at + step));
      if (octetByOctet) await turn();
    }
    if (cut === undefined || this.answered < cut.afterOctets) return;
    if (cut.how === 'silence') return this.#silence();
    if (cut.how === 'reset') return this.#drop();
    this.#peer.end();
    return this.#overAndOut();
  }

  #write(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.ended || this.#peer.destroyed) return resolve();
      this.#peer.once('close', resolve);
      this.#peer.write(chunk, () => {
        this.#peer.off('close', resolve);
        resolve();
      });
    });
  }

  async #handshake(): Promise<void> {
    const { certificate } = this.#options;
    if (certificate === undefined) throw new Error('the script has tls: give the server a certificate');
    const secure = new TLSSocket(this.#peer as Socket, { isServer: true, ...certificate });
    this.#peer = secure;
    this.#listen(secure);
    await new Promise<void>((resolve) => {
      secure.once('secure', resolve);
      secure.once('close', resolve);
    });
  }

  async #wait(): Promise<void> {
    this.quiet = true;
    this.#tell();
    if (!this.ended) {
      await new Promise<void>((resolve) => {
        this.#released = resolve;
      });
    }
    this.#released = null;
  }

  /** Never comes back: what the client says is heard, and not answered. */
  #silence(): Promise<void> {
    this.quiet = true;
    this.#tell();
    return new Promise(() => undefined);
  }

  #overAndOut(): Promise<void> {
    return new Promise(() => undefined);
  }

  async #drop(): Promise<void> {
    // What was said before arrives first.
    await turn();
    await turn();
    this.#reset(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    return this.#overAndOut();
  }
}

/** Characters as octets, one each. */
export function octets(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

function fits(pattern: string, line: string): boolean {
  return pattern.endsWith('*') ? line.startsWith(pattern.slice(0, -1)) : pattern === line;
}

function overlaid(script: Script, base: Script): Script {
  return {
    greeting: script.greeting ?? base.greeting,
    answers: new Map([...script.answers, ...[...base.answers].filter(([key]) => !covered(script, key))]),
  };
}

/** Whether the script answers everything that the base would answer by this key. */
function covered({ answers }: Script, key: string): boolean {
  return [...answers.keys()].some((own) => own === key || (own.endsWith('*') && fits(own, key)));
}

function parseScript(text: string, lineEnd: string): Script {
  let greeting: Step[] | null = null;
  const answers = new Map<string, Step[][]>();
  let steps: Step[] | null = null;
  for (const [index, written] of text.split('\n').entries()) {
    const line = written.trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const keyword = /^\S+/.exec(line)?.[0] ?? '';
    const rest = line.slice(keyword.length).replace(/^ /, '');
    if (keyword === 'C:') {
      steps = [];
      answers.set(octetsIn(rest), [...(answers.get(octetsIn(rest)) ?? []), steps]);
      continue;
    }
    if (steps === null) {
      greeting = [];
      steps = greeting;
    }
    steps.push(stepOf(keyword, rest, lineEnd, index + 1));
  }
  for (const all of [...answers.values()].flat()) joinSpoken(all);
  if (greeting !== null) joinSpoken(greeting);
  return { greeting, answers };
}

function stepOf(keyword: string, rest: string, lineEnd: string, line: number): Step {
  switch (keyword) {
    case 'S:':
      return spoken(octetsIn(rest) + lineEnd);
    case 'S|':
      return spoken(octetsIn(rest));
    case 'C>':
      return { type: 'hear', line: octetsIn(rest) };
    case 'tls':
    case 'wait':
    case 'silence':
    case 'close':
    case 'reset':
      return { type: keyword };
    default:
      throw new Error(`line ${line} of the script: ${keyword} means nothing here`);
  }
}

function spoken(text: string): Step {
  // Each time another one: it is the client's then, which may change it.
  return { type: 'say', chunks: () => [octets(text)] };
}

/** What is said without a pause is one chunk, as a server that buffers its output sends it. */
function joinSpoken(steps: Step[]): void {
  for (let at = steps.length - 1; at > 0; at--) {
    const [one, other] = [steps[at - 1], steps[at]];
    if (one?.type !== 'say' || other?.type !== 'say') continue;
    const chunks = () => [new Uint8Array(Buffer.concat([...one.chunks(), ...other.chunks()]))];
    steps.splice(at - 1, 2, { type: 'say', chunks });
  }
}

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', s: ' ', t: '\t', '\\': '\\' };

function octetsIn(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-f]{2})|(.))/gi,
    (all, hex: string | undefined, one: string | undefined) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      const octet = ESCAPES[one ?? ''];
      if (octet === undefined) throw new Error(`${all} means nothing in a script`);
      return octet;
    },
  );
}
