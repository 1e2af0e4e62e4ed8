import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { type AuthorizationServer, RESOURCE_SERVER, RESOURCES } from '../src/oauth/authorization-server.js';
import { logInByCertificates } from '../src/peers/client-certificates.js';
import { describePeer, putThroughEverything } from '../src/peers/describe-peer.js';
import { DOVECOT, dovecotWith } from '../src/peers/dovecot.js';
import type { PeerOptions } from '../src/peers/peer.js';
import { type Check, logInByTokens } from '../src/peers/tokens.js';

const TOKENS_FOR = { 'its signature': RESOURCES.oldJwt, introspection: RESOURCES.opaque };

describePeer(DOVECOT, ['dovecot'], () => {
  putThroughEverything(DOVECOT);

  describe('with certificates of clients', () => {
    logInByCertificates(dovecotWith('Dovecot', settingsForCertificates));
  });

  describe('with tokens', () => {
    logInByTokens(TOKENS_FOR, (settings) => dovecotWith('Dovecot', settings), settingsForTokens);
  });
});

function settingsForCertificates({ authority }: PeerOptions): string {
  return `
ssl_ca = <${authority}
ssl_verify_client_cert = yes
ssl_require_crl = no
auth_ssl_username_from_cert = yes
auth_mechanisms = plain external
passdb {
  driver = static
  mechanisms = external
  args = nopassword=y
}
`;
}

function settingsForTokens(check: Check, provider: AuthorizationServer, { directory }: PeerOptions): string {
  const file = join(directory, 'oauth2.conf');
  const { id, secret } = RESOURCE_SERVER;
  const introspection = provider.introspectionUrl.replace('//', `//${id}:${encodeURIComponent(secret)}@`);
  const lines =
    check === 'introspection'
      ? [
          'introspection_mode = post',
          `introspection_url = ${introspection}`,
          'active_attribute = active',
          'active_value = true',
        ]
      : [
          'introspection_mode = local',
          `local_validation_key_dict = fs:posix:prefix=${keysOf(provider, directory)}/`,
        ];
  const common = ['username_attribute = username', `issuers = ${provider.issuer}`];
  writeFileSync(file, [...lines, ...common, ''].join('\n'));
  return `
auth_mechanisms = plain oauthbearer xoauth2
passdb {
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = ${file}
}
`;
}

/** Writes the provider's key where Dovecot looks for it: by who may use it, algorithm and name. */
function keysOf(provider: AuthorizationServer, directory: string): string {
  const keys = join(directory, 'keys');
  const folder = join(keys, 'default', 'RS256');
  mkdirSync(folder, { recursive: true });
  const { name, publicKey } = provider.key;
  writeFileSync(join(folder, name), publicKey.export({ type: 'spki', format: 'pem' }));
  return keys;
}
