/**
 * Reads the transcripts in `transcripts/`: dialogues written down, with what the server asks of its host between the
 * lines. The format is described in `transcripts/README.md`. Octets are text here, one character each.
 */

export interface Transcript {
  readonly name: string;
  /** Its first comment: the behaviour that it shows, with the place in the RFC. */
  readonly title: string;
  /** Settings of the server, as written. */
  readonly session: ReadonlyMap<string, string>;
  readonly maildrop: readonly StoredMessage[];
  readonly steps: readonly Step[];
}

export interface StoredMessage {
  readonly uniqueId: string;
  readonly text: string;
}

export type Step = { readonly line: number } & (
  | { readonly type: 'client'; readonly octets: string }
  | { readonly type: 'server'; readonly expected: ExpectedLine }
  | { readonly type: 'request'; readonly request: ExpectedRequest; readonly answer: ScriptedAnswer }
  | { readonly type: 'upgrade-tls'; readonly mechanisms: readonly string[] | null }
  | { readonly type: 'eof' }
  | { readonly type: 'abort'; readonly reason: string }
  | { readonly type: 'close'; readonly reason: string }
);

/** What the server says next; with `anyText`, any text may follow on the line, and some has to. */
export interface ExpectedLine {
  readonly octets: string;
  readonly anyText: boolean;
}

/** What a request has to hold; for `authenticate` and `open-maildrop` only what is written is compared. */
export interface ExpectedRequest {
  readonly type: string;
  readonly [attribute: string]: string | number | boolean | null | readonly number[];
}

export type ScriptedAnswer =
  | { readonly type: 'accepted'; readonly identity: { readonly maildrop: string; readonly username: string } }
  | { readonly type: 'refused'; readonly reason: string; readonly text: string | null }
  | { readonly type: 'challenge'; readonly challenge: string }
  | { readonly type: 'opened' }
  /** `chunks` is null for the message as the maildrop has it. */
  | { readonly type: 'message'; readonly chunks: readonly string[] | null; readonly fails: boolean }
  | { readonly type: 'gone' }
  | {
      readonly type: 'replied';
      readonly status: '+OK' | '-ERR';
      readonly code?: string;
      readonly text: string;
      readonly lines?: readonly string[];
      readonly peer: 'encrypted' | null;
    }
  | { readonly type: 'committed'; readonly removed: number; readonly failed: number }
  /** The host still works on it when the transcript ends. */
  | { readonly type: 'pending' };

const CRLF = '\r\n';
/** A status line without text stands for one with any text (a response code has to be the same one). */
const STATUS_WITHOUT_TEXT = /^(?:\+OK|-ERR)(?: \[[^\]]+\])?$/;

export function parseTranscript(name: string, source: string): Transcript {
  const session = new Map<string, string>();
  const maildrop: StoredMessage[] = [];
  const steps: Step[] = [];
  let title: string | null = null;
  for (const [index, written] of source.split('\n').entries()) {
    const line = index + 1;
    const [keyword = ''] = /^\S*/.exec(written) ?? [];
    const rest = written.slice(keyword.length).replace(/^ /, '');
    try {
      switch (keyword) {
        case '':
          break;
        case '#':
          title ??= rest;
          break;
        case 'session':
          for (const [key, value] of attributesOf(wordsOf(rest))) session.set(key, textIn(value));
          break;
        case 'maildrop':
          maildrop.push(storedMessage(rest, maildrop.length + 1));
          break;
        case 'C:':
          steps.push({ line, type: 'client', octets: octetsIn(rest) + CRLF });
          break;
        case 'C|':
          steps.push({ line, type: 'client', octets: octetsIn(rest) });
          break;
        case 'S:':
          steps.push({ line, type: 'server', expected: expectedLine(octetsIn(rest)) });
          break;
        case 'S|':
          steps.push({ line, type: 'server', expected: { octets: octetsIn(rest), anyText: false } });
          break;
        case '!':
          steps.push({ line, type: 'request', ...exchange(rest) });
          break;
        case 'upgrade-tls': {
          const mechanisms = attributesOf(wordsOf(rest)).get('mechanisms');
          steps.push({
            line,
            type: 'upgrade-tls',
            mechanisms: mechanisms === undefined ? null : listOf(mechanisms),
          });
          break;
        }
        case 'eof':
          steps.push({ line, type: 'eof' });
          break;
        case 'abort':
        case 'close':
          steps.push({ line, type: keyword, reason: rest });
          break;
        default:
          throw new Error(`${keyword} means nothing here`);
      }
    } catch (error) {
      throw new Error(`${name}:${line}: ${(error as Error).message}`, { cause: error });
    }
  }
  if (title === null) throw new Error(`${name}: the first line says what the transcript shows`);
  return { name, title, session, maildrop, steps };
}

/** A list in the value of an attribute: `PLAIN,LOGIN`, or nothing. */
export function listOf(value: string): string[] {
  return value.split(',').filter(Boolean);
}

function expectedLine(text: string): ExpectedLine {
  return STATUS_WITHOUT_TEXT.test(text)
    ? { octets: `${text} `, anyText: true }
    : { octets: text + CRLF, anyText: false };
}

function storedMessage(rest: string, messageNumber: number): StoredMessage {
  const [number, ...words] = wordsOf(rest.replace(/^(\d+)([^"]*):/, '$1$2'));
  if (number?.text !== String(messageNumber)) throw new Error('messages are numbered from 1 on, in order');
  const text = words.pop();
  if (text?.key !== null || !text.quoted) throw new Error('the text of a message is quoted');
  return {
    uniqueId: textIn(attributesOf(words).get('unique-id') ?? `id-${messageNumber}`),
    text: octetsIn(text.text),
  };
}

function exchange(rest: string): { request: ExpectedRequest; answer: ScriptedAnswer } {
  const [asked, answered, ...more] = rest.split(' -> ');
  if (asked === undefined || answered === undefined || more.length > 0) throw new Error('request -> answer');
  return { request: expectedRequest(wordsOf(asked)), answer: scriptedAnswer(wordsOf(answered)) };
}

function expectedRequest([name, ...words]: readonly Word[]): ExpectedRequest {
  const type = name?.text ?? '';
  const attributes = attributesOf(words);
  const positional = words.filter(({ key }) => key === null).map(({ text }) => text);
  switch (type) {
    case 'authenticate':
    case 'open-maildrop': {
      const texts = [...attributes].map(([key, value]) => [key, textIn(value)] as const);
      const [credentials] = positional;
      return { ...Object.fromEntries(texts), ...(credentials === undefined ? {} : { credentials }), type };
    }
    case 'sasl-start': {
      const [mechanism = '', response] = positional;
      return { type, mechanism, initialResponse: response === undefined ? null : octetsIn(response) };
    }
    case 'sasl-step':
      return { type, response: octetsIn(positional[0] ?? '') };
    case 'retrieve': {
      const top = attributes.get('top');
      return { type, messageNumber: Number(positional[0]), topLines: top === undefined ? null : Number(top) };
    }
    case 'commit':
      return { type, deletions: positional.map(Number) };
    case 'extension': {
      const [verb = '', argument] = positional;
      const marks = attributes.get('marks');
      return {
        type,
        verb,
        argument: argument === undefined ? null : octetsIn(argument),
        ...(marks !== undefined && { marks: marks === 'none' ? null : listOf(marks).map(Number) }),
      };
    }
    default:
      throw new Error(`${type} is no request`);
  }
}

function scriptedAnswer([name, ...words]: readonly Word[]): ScriptedAnswer {
  const type = name?.text;
  const attributes = attributesOf(words);
  const positional = words.filter(({ key }) => key === null);
  const first = positional[0]?.text ?? '';
  switch (type) {
    case 'accepted': {
      const maildrop = textIn(attributes.get('maildrop') ?? '');
      return { type, identity: { maildrop, username: textIn(attributes.get('username') ?? maildrop) } };
    }
    case 'refused': {
      const text = attributes.get('text');
      return { type, reason: first, text: text === undefined ? null : textIn(text) };
    }
    case 'challenge':
      return { type, challenge: octetsIn(first) };
    case 'message': {
      const chunks = positional.filter(({ quoted }) => quoted).map(({ text }) => octetsIn(text));
      const fails = positional.some(({ quoted, text }) => !quoted && text === 'failed');
      return { type, chunks: chunks.length > 0 || fails ? chunks : null, fails };
    }
    case 'committed':
      return { type, removed: Number(attributes.get('removed')), failed: Number(attributes.get('failed')) };
    case 'replied': {
      const [status, text, ...lines] = positional.map((word) => textIn(word.text));
      const code = attributes.get('code');
      return {
        type,
        status: status as '+OK',
        text: text ?? '',
        ...(code !== undefined && { code }),
        ...((attributes.get('lines') === 'none' || lines.length > 0) && { lines }),
        peer: attributes.get('peer') === 'encrypted' ? 'encrypted' : null,
      };
    }
    case 'opened':
    case 'gone':
    case 'pending':
      return { type };
    default:
      throw new Error(`${type} is no answer`);
  }
}

/** A word, `key=word` or `key="words"`; its escapes are still in it. */
interface Word {
  readonly key: string | null;
  readonly text: string;
  readonly quoted: boolean;
}

const WORD = /(?:([\w-]+)=)?(?:"((?:[^"\\]|\\.)*)"|([^\s"]\S*))(?=\s|$)/gy;

function wordsOf(text: string): Word[] {
  const trimmed = text.trim();
  const words: Word[] = [];
  WORD.lastIndex = 0;
  while (WORD.lastIndex < trimmed.length) {
    const match = WORD.exec(trimmed);
    if (match === null) throw new Error(`cannot be read: ${text}`);
    const [, key = null, quoted, bare = ''] = match;
    words.push({ key, text: quoted ?? bare, quoted: quoted !== undefined });
    while (trimmed[WORD.lastIndex] === ' ') WORD.lastIndex++;
  }
  return words;
}

function attributesOf(words: readonly Word[]): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const { key, text } of words) if (key !== null) attributes.set(key, text);
  return attributes;
}

const ESCAPE = /\\(?:([rn0s\\"])|x([0-9a-f]{2})|\{(.+?)\*(\d+)\})/gi;
const NAMED: Record<string, string> = { r: '\r', n: '\n', '0': '\0', s: ' ', '\\': '\\', '"': '"' };

/** The octets that a text stands for: its UTF-8, and the escapes in it as single octets. */
function octetsIn(text: string): string {
  const plain = (part: string) => String.fromCharCode(...new TextEncoder().encode(part));
  let octets = '';
  let at = 0;
  for (const match of text.matchAll(ESCAPE)) {
    octets += plain(text.slice(at, match.index)) + escaped(match, octetsIn);
    at = match.index + match[0].length;
  }
  return octets + plain(text.slice(at));
}

/** The characters that a text stands for, where what is compared is Unicode and not octets. */
function textIn(text: string): string {
  return text.replace(ESCAPE, (...match) => escaped(match, textIn));
}

function escaped(match: readonly (string | undefined)[], inner: (text: string) => string): string {
  const [, named, octet, repeated = '', times] = match;
  if (named !== undefined) return NAMED[named.toLowerCase()] as string;
  if (octet !== undefined) return String.fromCharCode(Number.parseInt(octet, 16));
  return inner(repeated).repeat(Number(times));
}
