import { isIP } from 'node:net';
import type { TlsMode } from '@pop3/client-node';
import { EXIT, Failure } from './failure.js';

/** What HOST says; null for what it leaves open. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number | null;
  readonly tls: TlsMode | null;
  readonly user: string | null;
  readonly mechanism: string | null;
}

/** `pop3` and `pop3s` are curl's. */
const URL_FORM = /^(pop3?s?):\/\/(?:([^@/]*)@)?(\[[^\]/]*\]|[^:/[\]]*)(?::(\d*))?(\/.*)?$/i;
const PLAIN_FORM = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/;
const USER_FORM = /^([^;]*)(?:;auth=([^;]*))?$/i;
const FORMS = 'give HOST, HOST:PORT, [ADDRESS]:PORT, pops://HOST or pop://USER@HOST';

/**
 * Reads `host`, `host:port`, `[v6]:port`, or a POP URL (RFC 2384).
 *
 * @throws Failure for anything else. The text does not repeat what was given: it may hold a password.
 */
export function parseServerAddress(text: string): ServerAddress {
  if (/^[a-z0-9+.-]+:\/\//i.test(text)) return parseUrl(text);
  if (text.includes('@')) throw wrong(`a user stands in --user or in a URL; ${FORMS}`);
  const nothing = { tls: null, user: null, mechanism: null };
  if (isIP(text) === 6) return { host: text, port: null, ...nothing };
  const [match, host = '', port] = PLAIN_FORM.exec(text) ?? [];
  if (match === undefined) throw wrong(`HOST is not understood; ${FORMS}`);
  return { host: hostOf(host), port: portOf(port), ...nothing };
}

function parseUrl(text: string): ServerAddress {
  const [match, scheme = '', login, host = '', port, path = ''] = URL_FORM.exec(text) ?? [];
  if (match === undefined) throw wrong(`the URL is not understood; ${FORMS}`);
  // RFC 2384 section 3 has none.
  if (path.length > 1) throw wrong('a POP URL has no path; give the number of a message as an argument');
  const tls = scheme.toLowerCase().endsWith('s') ? 'implicit' : 'starttls';
  return { host: hostOf(host), port: portOf(port), tls, ...loginOf(login) };
}

function loginOf(login: string | undefined): Pick<ServerAddress, 'user' | 'mechanism'> {
  if (login === undefined) return { user: null, mechanism: null };
  if (login.includes(':')) {
    const text =
      'a password in a URL is not taken: every user of this machine can see it, and the shell remembers it; ' +
      'leave it out to be asked, or set POP3_PASSWORD';
    throw wrong(text);
  }
  const [match, user = '', mechanism] = USER_FORM.exec(login) ?? [];
  if (match === undefined)
    throw wrong('what stands before the @ of a POP URL is USER or USER;AUTH=MECHANISM');
  return { user: decoded(user) || null, mechanism: mechanismOf(decoded(mechanism ?? '*')) };
}

/** `*` leaves the choice to the client; `+` is in front of what is no SASL mechanism (RFC 2384 section 4). */
function mechanismOf(text: string): string | null {
  if (text === '*') return null;
  if (/^\+APOP$/i.test(text)) return 'APOP';
  if (!/^[A-Z0-9_-]{1,20}$/i.test(text)) throw wrong(`AUTH=${text} is no mechanism that this client has`);
  return text.toUpperCase();
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('the URL holds a % without two hexadecimal digits of UTF-8 behind it');
  }
}

function hostOf(text: string): string {
  if (!text.startsWith('[')) return text === '' ? refuseEmpty() : text;
  const address = text.slice(1, -1);
  if (isIP(address) !== 6) throw wrong(`${text} is no IPv6 address`);
  return address;
}

function refuseEmpty(): never {
  throw wrong(`HOST is empty; ${FORMS}`);
}

function portOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw wrong(`port "${text}" is not 1 to 65535`);
  return port;
}

function wrong(message: string): Failure {
  return new Failure(EXIT.usage, message);
}
