import { Pop3Error } from '@pop3/core';

/** How long a server of the operator may take for an answer, and how much it may say. */
export interface JsonLimits {
  /** Milliseconds until the whole answer is there. */
  readonly timeoutMs: number;
  readonly maxOctets: number;
  /** The status that says that there is nothing: undefined is returned for it. By default none does. */
  readonly nothingStatus?: number;
}

/**
 * Asks a server of the operator, once, and without following it elsewhere: what is sent is secret, and meant for nobody
 * else.
 *
 * @returns what the JSON of a 200 response says.
 * @throws Error that names the server and what is wrong with it. It holds nothing of what was sent or answered, and no
 *   cause, since causes made by others may.
 */
export async function requestJson(url: URL, init: RequestInit, limits: JsonLimits): Promise<unknown> {
  const server = `${url.origin}${url.pathname}`;
  let text: string;
  let status: number;
  try {
    const signal = AbortSignal.timeout(limits.timeoutMs);
    const response = await fetch(url, { ...init, redirect: 'manual', signal });
    status = response.status;
    text = status === 200 ? await boundedText(response, limits.maxOctets) : '';
    if (status !== 200) await response.body?.cancel();
  } catch (error) {
    throw new Error(`${server} ${troubleOf(error, limits)}.`);
  }
  if (status === limits.nothingStatus) return undefined;
  if (status !== 200) throw new Error(`${server} answered with the status ${status}.`);
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${server} answered what is not JSON.`);
  }
}

/**
 * The address of a server that secrets are sent to.
 *
 * @throws Pop3Error `POP3_USAGE` when it is no URL, would be asked in the clear without leave, or holds a password.
 */
export function serverUrl(what: string, address: string | URL, acceptHttp: boolean): URL {
  if (!URL.canParse(String(address))) throw new Pop3Error('POP3_USAGE', `${what} is not a URL.`);
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') {
    throw new Pop3Error('POP3_USAGE', `${what} holds a name or password: give them as options.`);
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && (acceptHttp || isLoopback(url)))) return url;
  throw new Pop3Error(
    'POP3_USAGE',
    `${what} is ${url.protocol}//: it has to be https:// (or http:// on loopback, or with acceptHttp).`,
  );
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

class TooLong extends Error {}

async function boundedText(response: Response, maxOctets: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of response.body ?? []) {
    octets += chunk.length;
    if (octets > maxOctets) throw new TooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function troubleOf(error: unknown, { timeoutMs, maxOctets }: JsonLimits): string {
  if (error instanceof TooLong) return `answered more than ${maxOctets} octets`;
  if (!(error instanceof Error)) return 'cannot be reached';
  if (error.name === 'TimeoutError') return `did not answer within ${timeoutMs} ms`;
  const cause = error.cause;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return `cannot be reached (${typeof code === 'string' ? code : error.name})`;
}
