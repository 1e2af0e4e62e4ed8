import type { WorldFiles } from '../world.js';

/**
 * Every mechanism that a password or a certificate of a client can serve, those that have to be named as well. The common
 * name of a certificate is its user.
 */
export function everyMechanism({ authority }: WorldFiles): string {
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512', 'SCRAM-SHA-1'].flatMap((name) => [`${name}-PLUS`, name]);
  const mechanisms = [...scram, 'EXTERNAL', 'CRAM-MD5', 'PLAIN', 'LOGIN'];
  return `
[server]
mechanisms = ${JSON.stringify(mechanisms)}
tls_client_ca = ${JSON.stringify(authority)}
certificate_user = "common-name"
`;
}
