/** STLS against somebody in between who says things in the clear (CVE-2011-0411, protocol ledger STLS-INJ.2). */
import type { Socket } from 'node:net';
import { converse } from '@pop3/core/driver';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { openChannel } from '../src/open-channel.js';
import { certificate, type KeyPair } from './certificates.js';
import { errorOf, listen, secure } from './loopback.js';

let server: KeyPair;
beforeAll(async () => {
  server = await certificate({ names: ['127.0.0.1'] });
});

/** A conversation with a server that answers STLS so, and speaks TLS then. */
async function upgrading(answer: (socket: Socket) => void) {
  const sessions: string[] = [];
  const port = await listen((socket) => {
    socket.write('+OK ready\r\n');
    socket.once('data', () => {
      answer(socket);
      const secured = secure(socket, server);
      secured.on('data', (chunk) => {
        sessions.push(String(chunk));
        secured.write('+OK\r\nUSER\r\nTOP\r\n.\r\n');
      });
    });
  });
  const channel = await openChannel({ host: '127.0.0.1', port, tls: 'starttls', trust: { ca: server.cert } });
  onTestFinished(() => channel.destroy());
  const conversation = converse({ channel });
  await conversation.greeting();
  return { channel, conversation, sessions };
}

it('goes on in TLS where nothing was said in between', async () => {
  const { channel, conversation } = await upgrading((socket) => socket.write('+OK begin TLS\r\n'));
  await conversation.send({ verb: 'STLS' });
  expect(channel.encrypted).toBe(true);
  expect((await conversation.capabilities())?.has('TOP')).toBe(true);
});

it.each([
  ['with the answer', (socket: Socket) => socket.write('+OK begin TLS\r\n+OK\r\nUSER\r\n.\r\n')],
  ['with the answer, half a line', (socket: Socket) => socket.write('+OK begin TLS\r\n+')],
  [
    'behind it',
    (socket: Socket) => {
      socket.write('+OK begin TLS\r\n');
      socket.write('+OK\r\nUSER\r\n.\r\n');
    },
  ],
  ['with the answer, an octet', (socket: Socket) => socket.write('+OK begin TLS\r\n\0')],
])('ends the session for octets in the clear %s', async (_, answer) => {
  const { channel, conversation, sessions } = await upgrading(answer);
  const error = await errorOf(conversation.send({ verb: 'STLS' }));
  expect(['POP3_PROTOCOL', 'POP3_TLS']).toContain((error as { code: string }).code);
  expect(channel.encrypted).toBe(false);
  expect(await errorOf(conversation.send({ verb: 'CAPA' }))).toBe(error);
  expect(sessions).toEqual([]);
});
