import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import {
  type AuthorizationServer,
  RESOURCE_SERVER,
  RESOURCES,
  SCOPE,
} from '../src/oauth/authorization-server.js';
import { logInByCertificates } from '../src/peers/client-certificates.js';
import { describePeer, putThroughEverything } from '../src/peers/describe-peer.js';
import type { PeerOptions } from '../src/peers/peer.js';
import { IMPATIENT, POP3D, pop3dWith } from '../src/peers/pop3d.js';
import { type Check, logInByTokens } from '../src/peers/tokens.js';

const TOKENS_FOR = { 'its signature': RESOURCES.jwt, introspection: RESOURCES.opaque };

describePeer(POP3D, [], () => {
  putThroughEverything(POP3D);

  describe('with certificates of clients', () => {
    logInByCertificates(POP3D);
  });

  describe('with tokens', () => {
    logInByTokens(TOKENS_FOR, (settings) => pop3dWith('pop3d', settings), settingsForTokens);
  });
});

function settingsForTokens(check: Check, provider: AuthorizationServer, { directory }: PeerOptions): string {
  const secret = join(directory, 'oauth.secret');
  writeFileSync(secret, RESOURCE_SERVER.secret, { mode: 0o600 });
  const lines =
    check === 'introspection'
      ? [
          `introspection_url = "${provider.introspectionUrl}"`,
          `client_id = "${RESOURCE_SERVER.id}"`,
          `client_secret_file = "${secret}"`,
        ]
      : [`jwks_url = "${provider.jwksUrl}"`, 'username_claim = "username"'];
  return `
[server]
mechanisms = ["OAUTHBEARER", "XOAUTH2"]
[oauth]
issuer = "${provider.issuer}"
audience = "${TOKENS_FOR[check]}"
scope = "${SCOPE}"
${lines.join('\n')}
${IMPATIENT}`;
}
