import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Pop3Error } from '@pop3/core';
import type { ConnectOptions, Timeouts } from './options.js';
import { ReceiveBuffer } from './receive-buffer.js';
import { timedOut } from './timeouts.js';

export interface Dialled {
  readonly socket: Duplex;
  /** Where what it reads goes instead of `data` events; null for a socket of the caller's. */
  readonly buffer: ReceiveBuffer | null;
}

/**
 * Connects to the host, or takes the caller's socket. What comes of an attempt that was given up is destroyed. The socket
 * has a listener for errors from the start, so that none is ever unhandled.
 */
export function dial(options: ConnectOptions, timeouts: Timeouts, signal?: AbortSignal): Promise<Dialled> {
  const port = options.port ?? ((options.tls ?? 'implicit') === 'implicit' ? 995 : 110);
  const where = options.socket === undefined ? `${options.host}:${port}` : 'the given socket';
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Pop3Error('POP3_USAGE', `port is ${port}; it must be from 1 to 65535.`);
  // Without a host, Node would take this machine.
  if (options.socket === undefined && !options.host)
    throw new Pop3Error('POP3_USAGE', 'host or socket is missing.');
  return new Promise((resolve, reject) => {
    let socket: Duplex | null = null;
    const buffer = options.socket === undefined ? new ReceiveBuffer() : null;
    let over = false;
    const finish = () => {
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket?.off('connect', connected).off('error', failed).off('close', failed);
    };
    const connected = () => {
      if (over) return;
      finish();
      resolve({ socket: socket as Duplex, buffer });
    };
    const give = (error: unknown) => {
      if (over) return;
      finish();
      socket?.destroy();
      reject(error);
    };
    const failed = (cause?: unknown) => give(notConnected(where, cause instanceof Error ? cause : undefined));
    const abort = () => give(signal?.reason);
    const take = (taken: Duplex) => {
      taken.on('error', () => {});
      socket = taken;
      if (over) taken.destroy();
      else if (taken.readableEncoding !== null || taken.readableObjectMode)
        give(new Pop3Error('POP3_USAGE', 'The given socket gives text or objects; take setEncoding() away.'));
      else if (taken.destroyed || taken.readableEnded || taken.writableEnded) failed();
      else if (!(taken as Socket).connecting) connected();
      else taken.once('connect', connected).once('error', failed).once('close', failed);
    };
    const timer = setTimeout(() => {
      give(timedOut(`There was no connection to ${where}`, 'connectMs', timeouts));
    }, timeouts.connectMs);
    signal?.addEventListener('abort', abort);
    if (buffer !== null) take(connect({ host: options.host as string, port, onread: buffer.onread }));
    else if (typeof options.socket !== 'function') take(options.socket as Duplex);
    else Promise.resolve().then(options.socket).then(take).catch(failed);
  });
}

/** What the system says, and where to look then. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there: look at the port, and whether the server runs.',
  ENOTFOUND: 'There is no such host: look at its name.',
  EAI_AGAIN: 'The name cannot be looked up now: look at the network and its DNS.',
};
const NO_WAY = 'Look at the host, the port, and whether a firewall is on the way.';

function notConnected(where: string, cause?: Error & { readonly code?: string }): Pop3Error {
  // Where a host has several addresses, Node says what became of each of them, and gives the code of the first.
  const code = cause?.code ?? cause?.message;
  const text = `No connection to ${where}: ${code || 'it is closed'}. ${ADVICE[code ?? ''] ?? NO_WAY}`;
  return new Pop3Error('POP3_CONNECT', text, { cause, retryable: true });
}
