import { createHash, createHmac, randomBytes } from 'node:crypto';
import { Pop3Error, type ScramForm } from '@pop3/core';
import {
  ANONYMOUS,
  cramMd5,
  EXTERNAL,
  LOGIN,
  OAUTHBEARER,
  PLAIN,
  type SaslServerMechanism,
  scram,
  XOAUTH2,
} from '@pop3/core/sasl';
import { timestamps } from './timestamp.js';

/** The hash functions of SCRAM as OpenSSL calls them; strong ones that clients have first. */
const HASHES: readonly (readonly [form: ScramForm, hash: string])[] = [
  ['scram-sha-256', 'sha256'],
  ['scram-sha-512', 'sha512'],
  ['scram-sha-1', 'sha1'],
];

/** Every mechanism that {@link nodeMechanisms} can make, in the order in which they are announced. */
export const MECHANISM_NAMES = [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-512-PLUS',
  'SCRAM-SHA-512',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-1',
  'EXTERNAL',
  'OAUTHBEARER',
  'XOAUTH2',
  'PLAIN',
  'LOGIN',
  'CRAM-MD5',
  'ANONYMOUS',
] as const;

/** Random octets of a nonce, which goes out as base64. */
const NONCE_OCTETS = 18;

/** Weak, or for everybody: only for those who ask for them. */
const ONLY_WHEN_NAMED: readonly string[] = ['CRAM-MD5', 'ANONYMOUS'];

/**
 * SASL mechanisms with the hash functions of Node, in the order in which they are announced. A client that takes the first
 * that it knows takes the best. Those for which the authenticator has no credentials, or the connection has not what they
 * need, are not announced.
 *
 * @param names - which ones, in which order. Default: SCRAM-SHA-256, SCRAM-SHA-512, SCRAM-SHA-1, EXTERNAL, OAUTHBEARER,
 *   XOAUTH2, PLAIN, LOGIN. CRAM-MD5, ANONYMOUS and the -PLUS forms have to be named: neomutt with GNU SASL takes -PLUS
 *   wherever it is announced, cannot bind, and does not find back to the others.
 * @throws Pop3Error `POP3_USAGE` for a name that is not known.
 */
export function nodeMechanisms(names?: readonly string[]): SaslServerMechanism[] {
  const known = new Map(
    knownMechanisms(names?.some(isPlus) ?? false).map((mechanism) => [mechanism.name, mechanism]),
  );
  const wanted =
    names ?? [...known.keys()].filter((name) => !ONLY_WHEN_NAMED.includes(name) && !isPlus(name));
  return [...new Set(wanted)].map((name) => {
    const mechanism = known.get(name);
    if (mechanism !== undefined) return mechanism;
    throw new Pop3Error(
      'POP3_USAGE',
      `There is no SASL mechanism ${name}; known are ${[...known.keys()].join(', ')}.`,
    );
  });
}

function isPlus(name: string): boolean {
  return name.endsWith('-PLUS');
}

/** @param channelBinding - whether any -PLUS is on offer: to a client that then sees none, somebody has lied */
function knownMechanisms(channelBinding: boolean): SaslServerMechanism[] {
  const nonce = () => randomBytes(NONCE_OCTETS).toString('base64');
  return [
    ...HASHES.flatMap(([form, hash]) => scram(form, { crypto: hashesOf(hash), nonce, channelBinding })),
    EXTERNAL,
    OAUTHBEARER,
    XOAUTH2,
    PLAIN,
    LOGIN,
    cramMd5({ challenge: timestamps() }),
    ANONYMOUS,
  ];
}

function hashesOf(name: string) {
  return {
    hash: (octets: Uint8Array) => createHash(name).update(octets).digest(),
    hmac: (key: Uint8Array, octets: Uint8Array) => createHmac(name, key).update(octets).digest(),
  };
}
