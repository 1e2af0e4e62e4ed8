import { staticUsers } from '@pop3/auth-node';
import { MECHANISM_NAMES, nodeMechanisms } from '@pop3/server-node';
import { describe, expect, it } from 'vitest';
import { attempt, errorOf } from './login-attempt.js';
import { servedChannel } from './served-channel.js';

const PASSWORD = 'tig"er of wörds';
const auth = { user: 'ann', password: PASSWORD };
const BINDING = Buffer.alloc(32, 7);

function server(...names: string[]) {
  return servedChannel({
    authenticator: staticUsers({ ann: PASSWORD }),
    mechanisms: nodeMechanisms(names.length === 0 ? MECHANISM_NAMES : names),
    peer: { address: null, tls: true, certificate: null, channelBinding: () => BINDING },
  });
}

describe('a server of ours', () => {
  it.each([
    'SCRAM-SHA-256-PLUS',
    'SCRAM-SHA-512-PLUS',
    'SCRAM-SHA-1-PLUS',
    'SCRAM-SHA-256',
    'SCRAM-SHA-512',
    'SCRAM-SHA-1',
    'CRAM-MD5',
    'PLAIN',
    'LOGIN',
  ])('logs in by %s', async (name) => {
    const channel = server(name);
    expect(await attempt({ channel, auth, channelBinding: () => BINDING })).toBe(name);
    const wrong = attempt({
      channel: server(name),
      auth: { ...auth, password: 'wrong one' },
      channelBinding: () => BINDING,
    });
    const error = await errorOf(wrong, 'wrong one');
    expect(error).toMatchObject({
      code: 'POP3_REFUSED',
      verb: 'AUTH',
      responseCode: 'AUTH',
      retryable: false,
    });
  });
});
