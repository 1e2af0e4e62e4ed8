import { connect } from 'node:net';
import type { ConnectOptions } from './options.js';
import { SocketChannel } from './socket-channel.js';
export async function openChannel(options: ConnectOptions, _signal?: AbortSignal): Promise<SocketChannel> {
  const socket = connect({ host: options.host ?? '', port: options.port ?? 110, noDelay: true });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new SocketChannel(socket);
}
