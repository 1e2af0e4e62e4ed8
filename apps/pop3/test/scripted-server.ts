import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** What is answered to a command, with CRLF line ends; null cuts the connection, `[octets]` sends them and cuts it then. */
type Answer = string | null | readonly [octets: string];

/** A server that says what it is told to, such as half a message. Returns its port, and what it was sent. */
export async function script(
  greeting: Answer,
  answer: (command: string) => Answer,
): Promise<{
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly received: string[];
}> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let buffered = '';
    send(socket, greeting);
    socket.on('data', (chunk) => {
      buffered += chunk.toString('latin1');
      for (let end = buffered.indexOf('\r\n'); end !== -1; end = buffered.indexOf('\r\n')) {
        const command = buffered.slice(0, end);
        buffered = buffered.slice(end + 2);
        received.push(command);
        send(socket, answer(command));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    args: [`127.0.0.1:${port}`, '--user', 'ann', '--tls', 'off', '--allow-plaintext'],
    env: { POP3_PASSWORD: 'S3cret-of-ann' },
    received,
  };
}

function send(socket: Socket, answer: Answer): void {
  if (typeof answer === 'string') socket.write(answer, 'latin1');
  else if (answer === null) socket.destroy();
  else socket.end(answer[0], 'latin1');
}
