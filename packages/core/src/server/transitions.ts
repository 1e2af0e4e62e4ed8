import type { Verb } from '../command.js';

/** Where a session stands when it reads a command: AUTHORIZATION is split by whether a USER was just accepted. */
export type CommandState = 'authorization' | 'user-given' | 'transaction';

const COMMON = ['CAPA', 'QUIT'] as const;

/** Verbs that each state accepts (RFC 1939 sections 4 to 6, RFC 2449 section 5, RFC 2595 section 4, RFC 5034 section 4). */
export const ACCEPTED: Record<CommandState, readonly Verb[]> = {
  authorization: [...COMMON, 'USER', 'APOP', 'AUTH', 'STLS'],
  'user-given': [...COMMON, 'USER', 'PASS'],
  transaction: [...COMMON, 'STAT', 'LIST', 'UIDL', 'RETR', 'TOP', 'DELE', 'NOOP', 'RSET'],
};

/** Clients in the field ask these between USER and PASS; every other command makes the name forgotten. */
export const KEEPS_USER: readonly Verb[] = ['CAPA', 'NOOP'];
