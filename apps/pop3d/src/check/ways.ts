import type { Authenticator, Credentials } from '@pop3/core';
import type { SaslServerMechanism } from '@pop3/core/sasl';
import { nodeMechanisms, type Offer } from '@pop3/server-node';
import { MECHANISM_NAMES } from '../config/mechanism-names.js';
import type { Config } from '../config/schema.js';
import type { View } from './views.js';

/** One way to log in, whether it is offered or not. */
export interface Way {
  /** As a client names it, such as `USER and PASS` or `SCRAM-SHA-256`. */
  readonly name: string;
  readonly plaintext: boolean;
  readonly credentials: Credentials['type'];
  /** Null for what is no SASL mechanism. */
  readonly mechanism: SaslServerMechanism | null;
}

/** All ways that there are. */
export const WAYS: readonly Way[] = [
  { name: 'USER and PASS', plaintext: true, credentials: 'password', mechanism: null },
  { name: 'APOP', plaintext: false, credentials: 'apop', mechanism: null },
  ...nodeMechanisms(MECHANISM_NAMES).map((mechanism) => ({
    name: mechanism.name,
    plaintext: mechanism.plaintext,
    credentials: mechanism.credentials,
    mechanism,
  })),
];

/** The names of the ways that are offered, SASL mechanisms in the order in which they are announced. */
export function waysIn({ capabilities, apop }: Offer): string[] {
  return [
    ...(capabilities.has('USER') ? ['USER and PASS'] : []),
    ...(apop ? ['APOP'] : []),
    ...(capabilities.get('SASL') ?? []),
  ];
}

/**
 * Why a way is not offered to a client, as a clause.
 *
 * @param offer - what this client is offered: it tells whether passwords are refused
 */
export function reasonAgainst(way: Way, view: View, config: Config, authenticator: Authenticator): string {
  const { mechanism } = way;
  const { mechanisms, plaintext_auth } = config.server;
  if (mechanism !== null && !nodeMechanisms(mechanisms).some(({ name }) => name === way.name)) {
    return mechanisms === undefined
      ? 'not in server.mechanisms, which has to name it'
      : 'not in server.mechanisms';
  }
  if (!authenticator.accepts.includes(way.credentials)) return noCredentials(way.credentials, config);
  const context = { signal: new AbortController().signal, peer: view.peer };
  if (mechanism?.available !== undefined && !mechanism.available(context))
    return UNAVAILABLE[way.credentials] ?? BOUND;
  return view.stls
    ? `not before TLS, since server.plaintext_auth is "${plaintext_auth}"`
    : `not without TLS, since server.plaintext_auth is "${plaintext_auth}"`;
}

const BOUND = 'needs TLS that ends here';
const UNAVAILABLE: Partial<Record<Credentials['type'], string>> = {
  external: 'needs TLS with a certificate of the client',
};

/** What stored passwords serve a form of credentials. */
const STORED: Partial<Record<Credentials['type'], string>> = {
  apop: '{PLAIN}',
  'cram-md5': '{CRAM-MD5} or {PLAIN}',
  'scram-sha-1': '{SCRAM-SHA-1} or {PLAIN}',
  'scram-sha-256': '{SCRAM-SHA-256} or {PLAIN}',
  'scram-sha-512': '{PLAIN}',
};

function noCredentials(type: Credentials['type'], { users }: Config): string {
  switch (type) {
    case 'token':
      return 'needs [oauth] with jwks_url or introspection_url';
    case 'external':
      return 'needs server.tls_client_ca';
    case 'anonymous':
      return 'needs anonymous.maildrop';
    default:
      if (users.file === undefined) return 'needs users.file, or a [lookup] that knows such passwords';
      return `no user of ${users.file} has ${STORED[type] ?? 'a password that can be used'}`;
  }
}
