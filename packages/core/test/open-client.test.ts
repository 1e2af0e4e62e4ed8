/** A whole client without a network: what another runtime has to bring along. */
import { describe, expect, it } from 'vitest';
import { type ClientOptions, type Connector, openClient, serve } from '../src/driver/index.js';
import { errorOf } from './login-attempt.js';
import { storeOf } from './memory-channel.js';
import { joinedChannels } from './memory-client-channel.js';
import { LOGIN_CRYPTO } from './node-hashes.js';
import { passwordUsers } from './password-users.js';
import { latin1 } from './stored-message.js';

const AUTH = { user: 'ann', password: 'secret' };

/** Connects to a server of the core, as often as it is asked to. */
function connector(encrypted: boolean, events: string[] = []): Connector & { said: { client: string }[] } {
  const said: { client: string }[] = [];
  return {
    said,
    crypto: LOGIN_CRYPTO,
    connect() {
      const { server, client, said: heard } = joinedChannels();
      said.push(heard);
      void serve({
        channel: server,
        store: storeOf(['Subject: one\r\n\r\n.dot\r\n', 'Subject: two\r\n\r\n'], events),
        authenticator: passwordUsers({ ann: 'secret' }),
        peer: { address: null, tls: encrypted, certificate: null },
      });
      let upgraded = encrypted;
      return {
        ...client,
        get encrypted() {
          return upgraded;
        },
        channelBinding: () => null,
        async upgradeTls() {
          await client.upgradeTls?.();
          upgraded = true;
        },
        end: () => events.push('end'),
        destroy: () => server.end(),
      };
    },
  };
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of body) text += latin1(chunk);
  return text;
}

describe('a client over channels in memory', () => {
  it('reads messages, and removes one', async () => {
    const events: string[] = [];
    const client = await openClient(connector(true, events), { auth: AUTH });
    expect(client.encrypted).toBe(true);
    const texts: string[] = [];
    for await (const message of client.messages({ pipeline: 4 })) {
      texts.push(await textOf(message.body()));
      if (message.uniqueId === 'id-1') message.delete();
    }
    expect(texts).toEqual(['Subject: one\r\n\r\n.dot\r\n', 'Subject: two\r\n\r\n']);
    expect(await client.quit()).toEqual({ deleted: [1], failed: [] });
    expect(events).toEqual(['open ann', 'commit 1', 'release', 'end']);
  });

  it('encrypts by STLS where it has to, and once more when it connects again', async () => {
    const to = connector(false);
    const client = await openClient(to, { auth: AUTH, tls: 'starttls' });
    expect(client.encrypted).toBe(true);
    await client.reconnect();
    expect(await client.stat()).toMatchObject({ messages: 2 });
    await client.close();
    expect(to.said.map(({ client: heard }) => heard.split('\r\n')[0])).toEqual(['STLS', 'STLS']);
  });

  it.each<[string, ClientOptions, string]>([
    ['has no login that cannot be', { auth: { user: '', password: 'x' } }, 'POP3_USAGE'],
    ['does not believe a channel that is not encrypted', { auth: AUTH }, 'POP3_USAGE'],
    ['sends no password in the clear', { auth: { ...AUTH, mechanism: 'PLAIN' }, tls: 'off' }, 'POP3_TLS'],
  ])('%s', async (_, options, code) => {
    const to = connector(false);
    expect(await errorOf(openClient(to, options), 'secret')).toMatchObject({ code });
    expect(to.said.map(({ client }) => client).join('')).not.toMatch(/USER|AUTH|PASS|STLS/);
  });
});
