import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeMaildir } from '../maildir.js';
import { startDovecot } from '../server/dovecot.js';
import { topOf } from '../wire-form.js';
import type { Maildrop, Peer, PeerOptions, RunningPeer } from './peer.js';
import { RIGHT, startsWithDot } from './rules.js';

/**
 * Dovecot 2.3.19
 * - does not stuff a dot that is the very first octet,
 * - sends an empty message as a blank line,
 * - does not count the line end that it completes a message with,
 * - takes a CR that is the very first octet for the blank line behind the header when it answers TOP.
 */
export const DOVECOT: Peer = dovecotWith('Dovecot', () => '');

/** Dovecot with settings that override ours. */
export function dovecotWith(name: string, settings: (options: PeerOptions) => string): Peer {
  return {
    ...RIGHT,
    name,
    unpacked: null,
    mechanisms: () => ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN', 'USER', 'APOP'],
    chosen: () => 'SCRAM-SHA-256',
    takes: (message) => !startsWithDot(message),
    sends: ({ wire }) => (wire.length === 0 ? Buffer.from('\r\n') : wire),
    lists: ({ stored, octets }) => (stored.at(-1) === 0x0a ? octets : Math.max(0, octets - 2)),
    tops: ({ wire }, lines) => topOf(wire, lines),
    start: (options) => start(options, settings(options)),
  };
}

async function start(options: PeerOptions, settings: string): Promise<RunningPeer> {
  const { directory, certificate, key, maildrops } = options;
  const maildirs = join(directory, 'mail');
  const users = await writeUsers(directory, maildrops);
  for (const { user, messages } of maildrops) await writeMaildir(join(maildirs, user), messages);
  const server = await startDovecot({ directory, certificate, key, users, maildirs, settings });
  await server.adopt?.(maildirs);
  return server;
}

/** Writes a users file in Dovecot's format, which is that of pop3d as well. */
export async function writeUsers(directory: string, maildrops: readonly Maildrop[]): Promise<string> {
  const users = join(directory, 'users');
  const lines = maildrops.map(({ user, password }) => `${user}:{PLAIN}${password}\n`);
  await writeFile(users, lines.join(''));
  return users;
}
