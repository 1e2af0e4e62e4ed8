import type { IndexOf } from '../next-octet.js';
import type { StatusLine } from '../response.js';

export type ClientState = 'connecting' | 'authorization' | 'transaction' | 'update' | 'closed';

/**
 * Why a session ended before it was over:
 * - `greeting-refused`: the server greeted with `-ERR`
 * - `bad-greeting`: the first line is no status line
 * - `bad-status-line`: a line is no answer where one was due: the stream is out of step
 * - `unexpected-data`: octets came that nobody has asked for
 * - `line-too-long`, `too-many-capabilities`: more than the limits allow
 * - `peer-closed`: the connection ended with answers outstanding
 * - `aborted`: by the caller
 */
export type ClientFailure =
  | 'greeting-refused'
  | 'bad-greeting'
  | 'bad-status-line'
  | 'unexpected-data'
  | 'line-too-long'
  | 'too-many-capabilities'
  | 'peer-closed'
  | 'aborted';

/** Bounds on what a server may send outside of multi-line responses. */
export interface ClientLimits {
  /** Octets of a status line or a challenge with its line end. Default 65 536: Kerberos tickets exceed RFC 2449's 512. */
  readonly maxLineOctets: number;
  /** Octets of a CAPA response. Default 65 536. */
  readonly maxCapabilityOctets: number;
}

export interface ClientSessionOptions {
  /** Whether the connection is encrypted already, as on port 995. Default false. */
  readonly tls?: boolean;
  /** Takes `+ok` and `-err` for status lines, which some home-made servers send. Default false. */
  readonly acceptLowerCaseStatus?: boolean;
  readonly limits?: Partial<ClientLimits>;
  /** Looks for an octet in a body, where the platform does that faster than JavaScript. */
  readonly indexOf?: IndexOf;
  /** Told of everything that happens, as data: nothing that logs has to parse octets. Must not throw. */
  readonly trace?: (event: ClientTrace) => void;
}

/** Secrets are masked in the commands. What the server sends is as it came. */
export type ClientTrace =
  | { readonly type: 'greeting'; readonly status: Status }
  | { readonly type: 'command'; readonly command: string }
  | { readonly type: 'response'; readonly status: Status }
  | { readonly type: 'state'; readonly state: ClientState };

/** `+OK` or `-ERR`, with what stands behind it. */
export type Status = Extract<StatusLine, { readonly status: '+OK' | '-ERR' }>;
