import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { TLSSocket, type TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';

/** Serves on a port of its own until the test is over. Errors of its sockets are for the test to look at, if at all. */
export async function listen(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.setNoDelay(true);
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The server's side of TLS on a socket. */
export function secure(socket: Socket, options: TlsOptions): TLSSocket {
  const secured = new TLSSocket(socket, { ...options, isServer: true });
  secured.on('error', () => {});
  return secured;
}

/** Serves TLS from the first octet. */
export function listenTls(options: TlsOptions, serve: (socket: TLSSocket) => void = greet): Promise<number> {
  return listen((socket) => serve(secure(socket, options)));
}

export function greet(socket: Socket): void {
  socket.write('+OK ready\r\n');
}

/** A port where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Lets the event loop turn until something holds; the test's own time limit is the only clock. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}

/** What was read, one character for each octet; null at the end. */
export async function textOf(read: Uint8Array | null | Promise<Uint8Array | null>): Promise<string | null> {
  const chunk = await read;
  return chunk && Buffer.from(chunk).toString('latin1');
}

/** What a promise rejects with. */
export async function errorOf(promise: unknown): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('It did not reject.');
}
