import { join } from 'node:path';
import { writeMaildir } from '../maildir.js';
import { everyMechanism } from '../server/every-mechanism.js';
import { startPop3d } from '../server/pop3d.js';
import { writeUsers } from './dovecot.js';
import type { Peer, PeerOptions, RunningPeer } from './peer.js';
import { RIGHT } from './rules.js';

/** Our own server, as it was built. */
export const POP3D: Peer = pop3dWith('pop3d', (options) => everyMechanism(options) + IMPATIENT);

/** Our own server with settings. */
export function pop3dWith(name: string, settings: (options: PeerOptions) => string): Peer {
  return {
    ...RIGHT,
    name,
    unpacked: null,
    mechanisms: (security) => [
      ...(security === 'plain' ? [] : SCRAM.map((scram) => `${scram}-PLUS`)),
      ...SCRAM,
      ...['CRAM-MD5', 'PLAIN', 'LOGIN', 'USER', 'APOP'],
    ],
    chosen: (security) => (security === 'plain' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-256-PLUS'),
    start: (options) => start(options, settings(options)),
  };
}

/** Many wrong passwords come from one address. */
export const IMPATIENT = `
[throttle]
enabled = false
[limits]
failed_login_delay_seconds = 0
`;

const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-512', 'SCRAM-SHA-1'];

async function start(options: PeerOptions, configuration: string): Promise<RunningPeer> {
  const { directory, certificate, key, maildrops } = options;
  const maildirs = join(directory, 'mail');
  const users = await writeUsers(directory, maildrops);
  for (const { user, messages } of maildrops) await writeMaildir(join(maildirs, user), messages);
  return startPop3d({ directory, certificate, key, users, maildirs, configuration });
}
