import { expect, it } from 'vitest';
import { nodeMechanisms } from '../src/mechanisms.js';
import { authority, serverCertificate } from './certificates.js';
import { Peer } from './peer.js';
import { anybody, startServer } from './started-server.js';

/** The tags and parameters of CAPA, as a peer reads them. */
async function asked(peer: Peer): Promise<Record<string, string[]>> {
  peer.send('CAPA\r\n');
  await peer.line();
  const tags: Record<string, string[]> = {};
  for (let line = await peer.line(); line !== '.'; line = await peer.line()) {
    const [tag = '', ...parameters] = line.split(' ');
    tags[tag] = parameters;
  }
  return tags;
}

it('offers in words what it offers on the wire, before TLS and in it', async () => {
  const tls = { ...(await serverCertificate()), ca: (await authority()).cert };
  const { server, port } = await startServer({
    tls,
    authenticator: anybody('password', 'apop', 'scram-sha-256', 'external'),
    mechanisms: nodeMechanisms(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'EXTERNAL', 'PLAIN']),
    plaintextAuth: 'allow-on-loopback',
    implementation: 'test',
  });
  const clear = { address: '127.0.0.1', tls: false, certificate: null };
  const before = await server.offers({ peer: clear, stls: true });
  const peer = await Peer.connect(port);
  expect((await peer.line()).includes('<')).toBe(before.apop);
  expect(Object.fromEntries(before.capabilities)).toEqual(await asked(peer));
  expect(before.capabilities.get('STLS')).toEqual([]);

  const after = await server.offers({
    peer: { ...clear, tls: true, channelBinding: () => new Uint8Array(32) },
    stls: false,
  });
  await peer.startTls({ rejectUnauthorized: false });
  expect(Object.fromEntries(after.capabilities)).toEqual(await asked(peer));
  expect(after.capabilities.get('SASL')).toContain('SCRAM-SHA-256-PLUS');

  const elsewhere = await server.offers({ peer: { ...clear, address: '192.0.2.1' }, stls: true });
  expect(elsewhere.capabilities.has('USER')).toBe(false);
});

it('passes on what an adapter throws', async () => {
  const { server } = await startServer({
    mechanisms: [
      {
        name: 'X',
        plaintext: false,
        credentials: 'password',
        available() {
          throw new Error('broken');
        },
        start: () => ({ step: () => ({ type: 'refused', reason: 'temporary' }) }),
      },
    ],
  });
  await expect(
    server.offers({ peer: { address: null, tls: false, certificate: null }, stls: false }),
  ).rejects.toThrow('broken');
});
