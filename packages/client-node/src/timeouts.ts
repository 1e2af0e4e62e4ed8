import { Pop3Error } from '@pop3/core';
import type { Awaited } from '@pop3/core/driver';
import type { Timeouts } from './options.js';

const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 30_000,
  tlsMs: 30_000,
  greetingMs: 60_000,
  loginMs: 300_000,
  commandMs: 60_000,
  quitMs: 300_000,
  silenceMs: 60_000,
};

/** The longest time that a timer of Node knows; a longer one would pass at once. */
const MAX_TIMER_MS = 2_147_483_647;

/** @throws Pop3Error `POP3_USAGE` for what is no time */
export function timeoutsOf(given: Partial<Timeouts> = {}): Timeouts {
  const names = Object.keys(DEFAULT_TIMEOUTS) as (keyof Timeouts)[];
  const timeouts = names.map((name) => {
    const { [name]: ms = DEFAULT_TIMEOUTS[name] } = given;
    if (!(ms > 0)) throw new Pop3Error('POP3_USAGE', `timeouts.${name} is ${ms}; it must be above 0.`);
    return [name, Math.min(ms, MAX_TIMER_MS)];
  });
  return Object.fromEntries(timeouts);
}

/** How long something is waited for. An answer has to be there in that time; a body starts it anew with each octet. */
export function timeoutFor(awaited: Awaited): keyof Timeouts {
  if (awaited.type === 'greeting') return 'greetingMs';
  if (awaited.type === 'body') return 'silenceMs';
  switch (awaited.command.verb) {
    case 'PASS':
    case 'APOP':
    case 'AUTH':
      return 'loginMs';
    case 'QUIT':
      return 'quitMs';
    default:
      return 'commandMs';
  }
}

export function verbOf(awaited: Awaited): string | null {
  return awaited.type === 'greeting' ? null : (awaited.command.verb ?? awaited.command.keyword);
}

/** What is waited for, in words. */
export function nameOf(awaited: Awaited): string {
  const answer = `the answer to ${verbOf(awaited)}`;
  return { greeting: 'the greeting', status: answer, body: `the rest of ${answer}` }[awaited.type];
}

/** @param what - has not happened */
export function timedOut(
  what: string,
  name: keyof Timeouts,
  { [name]: ms }: Timeouts,
  verb: string | null = null,
  hint = '',
): Pop3Error {
  const text = `${what} within ${ms} ms. The connection was closed; timeouts.${name} can be raised.${hint}`;
  return new Pop3Error('POP3_TIMEOUT', text, { verb, retryable: true });
}
