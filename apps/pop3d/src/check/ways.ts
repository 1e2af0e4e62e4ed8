import { credentialFormsOf, passwordSchemes } from '@pop3/auth-node';
import type { Authenticator, Credentials } from '@pop3/core';
import type { SaslServerMechanism } from '@pop3/core/sasl';
import { MECHANISM_NAMES, nodeMechanisms, type Offer } from '@pop3/server-node';
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

/** The schemes of passwords that serve a form of credentials; for passwords themselves all do. */
function schemesFor(type: Credentials['type']): string {
  const serving = passwordSchemes.filter((scheme) => credentialFormsOf(scheme).includes(type));
  return serving.map(({ names }) => `{${names[0]}}`).join(' or ');
}

function noCredentials(type: Credentials['type'], { users }: Config): string {
  switch (type) {
    case 'token':
      return 'needs [oauth] with jwks_url or introspection_url';
    case 'external':
      return 'needs server.tls_client_ca';
    case 'anonymous':
      return 'needs anonymous.maildrop';
    case 'password':
      return users.file === undefined
        ? 'needs users.file or [lookup]'
        : `no user of ${users.file} has a password that can be used`;
    default:
      if (users.file === undefined) return `needs users.file, or "${type}" in lookup.accepts`;
      return `no user of ${users.file} has ${schemesFor(type)}`;
  }
}
