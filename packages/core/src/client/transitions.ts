import type { Verb } from '../command.js';
import type { ClientState } from './options.js';

const AUTHORIZATION: readonly Verb[] = ['USER', 'PASS', 'APOP', 'AUTH', 'STLS', 'CAPA', 'QUIT'];
const TRANSACTION: readonly Verb[] = [
  'STAT',
  'LIST',
  'UIDL',
  'RETR',
  'TOP',
  'DELE',
  'RSET',
  'NOOP',
  'CAPA',
  'QUIT',
];

/** What a client may say in each state (RFC 1939 sections 4 and 5, RFC 2449 section 5, RFC 2595 section 4). */
export const ACCEPTED_BY_SERVER: Record<ClientState, readonly Verb[]> = {
  connecting: [],
  authorization: AUTHORIZATION,
  transaction: TRANSACTION,
  update: [],
  closed: [],
};

/** Nothing follows these before they are answered: their answer decides what may (RFC 2449 section 6.6). */
export const BARRIERS: readonly Verb[] = ['PASS', 'APOP', 'AUTH', 'STLS', 'QUIT'];

/** A `+OK` to these opens the maildrop. */
export const LOGINS: readonly Verb[] = ['PASS', 'APOP', 'AUTH'];

/** A `+OK` to these is followed by lines; to LIST and UIDL it is when they name no message. */
export const ANSWERED_WITH_LINES: readonly Verb[] = ['CAPA', 'RETR', 'TOP'];
