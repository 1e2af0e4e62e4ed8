import type { Socket } from 'node:net';
import { type ProxyHeader, ProxyHeaderReader } from './proxy-header.js';

export type ProxiedOutcome =
  | ProxyHeader
  | {
      readonly type: 'rejected';
      readonly reason: 'bad-proxy-header' | 'proxy-header-timeout';
      readonly error?: Error;
    }
  /** The peer has gone without a word, as those do that only look whether somebody listens. */
  | { readonly type: 'gone' };

/**
 * Reads the header of the PROXY protocol from a socket that nobody has read from. What follows the header is left in the
 * socket for whoever reads it next, which is paused then. Sends nothing.
 */
export function readProxyHeader(socket: Socket, timeoutMs: number): Promise<ProxiedOutcome> {
  return new Promise((resolve) => {
    const reader = new ProxyHeaderReader();
    let said = false;
    const timer = setTimeout(() => finish({ type: 'rejected', reason: 'proxy-header-timeout' }), timeoutMs);

    function finish(outcome: ProxiedOutcome): void {
      clearTimeout(timer);
      socket.off('data', onData);
      socket.off('end', onOver);
      socket.off('close', onOver);
      resolve(outcome);
    }

    function bad(problem: string): void {
      const error = new Error(`The PROXY header cannot be used: ${problem}.`);
      finish({ type: 'rejected', reason: 'bad-proxy-header', error });
    }

    function onData(chunk: Uint8Array): void {
      said = true;
      const read = reader.push(chunk);
      if (read.type === 'incomplete') return;
      socket.pause();
      if (read.type === 'invalid') return bad(read.problem);
      if (read.rest.length > 0) socket.unshift(read.rest);
      finish(read.header);
    }

    function onOver(): void {
      if (said) bad('it ended too early');
      else finish({ type: 'gone' });
    }

    socket.on('data', onData);
    socket.on('end', onOver);
    socket.on('close', onOver);
  });
}
