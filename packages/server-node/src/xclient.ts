/**
 * XCLIENT and XOIP, by which a proxy says for whom it speaks (Dovecot's dialect). Parsing alone; whom to believe is the
 * business of the caller.
 */
import type { Peer, Pop3Extension } from '@pop3/core';
import { canonicalAddress } from './addresses.js';

/** What a proxy says of its client; null for what it leaves out. */
export interface IntroducedClient {
  /** In its canonical form. */
  readonly address: string | null;
  readonly port: number | null;
  /** What the proxy calls the session in its own log. */
  readonly session: string | null;
  /** Whether the client speaks TLS with the proxy. */
  readonly tls: boolean | null;
}

const NOTHING: IntroducedClient = { address: null, port: null, session: null, tls: null };

const SESSION = /^[\x21-\x7e]{1,64}$/;
const NUMBER = /^[0-9]{1,10}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** What each parameter tells; null for a value that cannot be. */
type Parameter = (value: string) => Partial<IntroducedClient> | null;

const PARAMETERS: Readonly<Record<string, Parameter>> = {
  ADDR: (value) => {
    const address = canonicalAddress(value);
    return address === null ? null : { address };
  },
  PORT: (value) => (isPort(value) ? { port: Number(value) } : null),
  // Longer ones, and such as no log should hold, are no mistake, but of no use.
  SESSION: (value) => (SESSION.test(value) ? { session: value } : {}),
  'CLIENT-TRANSPORT': (value) => ({ tls: value.startsWith('TLS') }),
  // Where the client wanted to go, how many proxies are left, what one proxy tells the next: must be right all the same.
  DESTADDR: (value) => (canonicalAddress(value) === null ? null : {}),
  DESTPORT: (value) => (isPort(value) ? {} : null),
  TTL: (value) => (NUMBER.test(value) ? {} : null),
  FORWARD: (value) => (BASE64.test(value) ? {} : null),
};

function isPort(value: string): boolean {
  return NUMBER.test(value) && Number(value) <= 65_535;
}

/**
 * Reads `NAME=value` with spaces between. Names may be in any case; unknown ones are ignored; of two, the last one counts.
 *
 * @returns null when a value cannot be
 */
export function parseXclient(argument: string): IntroducedClient | null {
  let client = NOTHING;
  for (const parameter of argument.split(' ')) {
    const [name = ''] = parameter.split('=', 1);
    const known = name.toUpperCase();
    if (name === parameter || !Object.hasOwn(PARAMETERS, known)) continue;
    const told = PARAMETERS[known]?.(parameter.slice(name.length + 1)) ?? null;
    if (told === null) return null;
    client = { ...client, ...told };
  }
  return client;
}

/** `XOIP address` is `XCLIENT ADDR=address`. */
function parseXoip(argument: string): IntroducedClient | null {
  const address = canonicalAddress(argument);
  return address === null ? null : { ...NOTHING, address };
}

/**
 * The commands, for a peer that is believed.
 *
 * @param introduce - what the connection makes of it: the peer from now on
 */
export function xclientExtensions(
  introduce: (client: IntroducedClient, before: Peer) => Peer,
): Pop3Extension[] {
  const command = (verb: string, parse: (argument: string) => IntroducedClient | null): Pop3Extension => ({
    verb,
    states: ['authorization'],
    run(argument, context) {
      const client = parse(Buffer.from(argument ?? []).toString('latin1'));
      if (client === null) return { status: '-ERR', text: 'Invalid parameters' };
      context.peer = introduce(client, context.peer);
      return { status: '+OK', text: 'Updated' };
    },
  });
  return [command('XCLIENT', parseXclient), command('XOIP', parseXoip)];
}
