import { createServer } from 'node:net';

/** Two ports that were free a moment ago, for a server that cannot take port 0. */
export async function freePorts(): Promise<[number, number]> {
  const first = await listening();
  const second = await listening();
  const ports: [number, number] = [first.port, second.port];
  await Promise.all([first.close(), second.close()]);
  return ports;
}

async function listening(): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}
