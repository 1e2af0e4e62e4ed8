import { Pop3Error } from '@pop3/core';
import { requestJson, serverUrl } from './json-request.js';
import type { UserLookup } from './user-record.js';
import { readUserRecord } from './user-record-reader.js';

export interface HttpLookupOptions {
  /** Where users are asked for: `https`, or `http` on loopback. */
  readonly url: string | URL;
  /** Sent with each request, such as an `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long an answer may take, in milliseconds: 5000 by default. */
  readonly timeoutMs?: number;
  /** Takes `http` to other hosts as well, for networks that nobody else is in. Default false. */
  readonly acceptHttp?: boolean;
}

/** A record with hundreds of app passwords is less. */
const MAX_OCTETS = 256 * 1024;

/**
 * Users from an HTTP server: a POST of `{"name":"ann","address":"192.0.2.1"}` is answered with 200 and the JSON of a
 * `UserRecord`, or with 404 where there is no such user. `address` is the peer's, or null.
 *
 * Everything else is a fault, which names the server and holds nothing of what was sent or answered.
 *
 * @throws Pop3Error `POP3_USAGE` for an URL that is none, is not safe to send secrets to, or holds a password, and for a
 *   header that cannot be sent.
 */
export function httpLookup(options: HttpLookupOptions): UserLookup {
  const { timeoutMs = 5000, acceptHttp = false } = options;
  const url = serverUrl('The URL of the look-up', options.url, acceptHttp);
  const headers = headersOf(options.headers ?? {});
  return {
    async find(name, { peer }) {
      const init = { method: 'POST', headers, body: JSON.stringify({ name, address: peer.address }) };
      const answer = await requestJson(url, init, { timeoutMs, maxOctets: MAX_OCTETS, nothingStatus: 404 });
      if (answer === undefined) return null;
      const record = readUserRecord(answer);
      if (typeof record !== 'string') return record;
      throw new Error(`${url.origin}${url.pathname} answered with a user that ${record}.`);
    },
  };
}

function headersOf(given: Readonly<Record<string, string>>): Headers {
  const headers = new Headers({ accept: 'application/json', 'content-type': 'application/json' });
  for (const [name, value] of Object.entries(given)) {
    try {
      headers.set(name, value);
    } catch {
      // What Node says of it holds the value, and no cause of ours may.
      throw new Pop3Error('POP3_USAGE', 'A header of the look-up has a name or value that cannot be sent.');
    }
  }
  return headers;
}
