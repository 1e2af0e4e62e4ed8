import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type Configuration } from 'oidc-provider';

/** An OpenID provider on 127.0.0.1, of which every user is whoever he says. */
export interface AuthorizationServer {
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly introspectionUrl: string;
  /** Where a client learns all of it (OpenID Connect Discovery section 4). */
  readonly configurationUrl: string;
  /** The key that tokens are signed with, for a server that does not fetch it, and its name. */
  readonly key: { readonly name: string; readonly publicKey: KeyObject };
  close(): Promise<void>;
}

/** A program on a device without a browser, such as a mail client on a terminal; it has no secret. */
export const DEVICE_CLIENT_ID = 'mail-on-a-terminal';

/** The POP3 server as a client of the provider. */
export const RESOURCE_SERVER = { id: 'pop3d', secret: 'secret-of-pop3d-at-the-provider' } as const;

/** What a token allows when it is for mail. */
export const SCOPE = 'pop';

/** Who tokens are for. The provider signs those for a resource `/jwt`; it has to be asked about the others. */
export const RESOURCES = {
  jwt: 'https://pop.example.org/jwt',
  opaque: 'https://pop.example.org/opaque',
  otherJwt: 'https://imap.example.org/jwt',
  /** For servers that want `JWT` for the type of a token, as it was before RFC 9068. */
  oldJwt: 'https://pop.example.org/old/jwt',
  otherOpaque: 'https://imap.example.org/opaque',
} as const;

/** Starts the provider on a port of the system's choice. */
export async function startAuthorizationServer(): Promise<AuthorizationServer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new Provider(issuer, configuration(privateKey));
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/interaction/')) void logIn(provider, issuer, request, response);
    else void answer(request, response);
  });
  return {
    issuer,
    jwksUrl: `${issuer}/jwks`,
    introspectionUrl: `${issuer}/token/introspection`,
    configurationUrl: `${issuer}/.well-known/openid-configuration`,
    key: { name: KEY_NAME, publicKey },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Takes the name of the user from the query, and his consent for granted: this provider has no passwords. */
async function logIn(
  provider: Provider,
  issuer: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const accountId = new URL(request.url ?? '', issuer).searchParams.get('user') ?? '';
  await provider.interactionFinished(request, response, { login: { accountId }, consent: {} });
}

const KEY_NAME = 'k1';

function configuration(privateKey: KeyObject): Configuration {
  return {
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: KEY_NAME }] },
    cookies: { keys: ['secret-of-the-cookies'] },
    clients: [
      {
        client_id: DEVICE_CLIENT_ID,
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
        response_types: [],
        redirect_uris: [],
      },
      {
        client_id: RESOURCE_SERVER.id,
        client_secret: RESOURCE_SERVER.secret,
        grant_types: [],
        response_types: [],
        redirect_uris: [],
      },
    ],
    scopes: ['openid', 'offline_access'],
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({
        accountId: oidc.session?.accountId ?? '',
        clientId: oidc.client?.clientId ?? '',
      });
      grant.addOIDCScope('openid offline_access');
      for (const resource of Object.values(RESOURCES)) grant.addResourceScope(resource, SCOPE);
      await grant.save();
      return grant;
    },
    extraTokenClaims: (_, token) => ('accountId' in token ? { username: token.accountId } : undefined),
    formats: {
      customizers: {
        jwt(_, __, parts) {
          const { aud } = parts.payload as { readonly aud?: unknown };
          if (aud === RESOURCES.oldJwt) parts.header = { ...parts.header, typ: 'JWT' };
        },
      },
    },
    issueRefreshToken: async () => true,
    ttl: {
      AccessToken: 3600,
      DeviceCode: 600,
      Grant: 3600,
      IdToken: 3600,
      Interaction: 600,
      RefreshToken: 3600,
      Session: 3600,
    },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        userCodeConfirmSource: async (context, form) => {
          context.body = form;
        },
        successSource: async (context) => {
          context.body = 'Back to your device.';
        },
      },
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
      introspection: {
        enabled: true,
        allowedPolicy: (_, client) => client.clientId === RESOURCE_SERVER.id,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: SCOPE,
          audience: resource,
          accessTokenTTL: 3600,
          accessTokenFormat: resource.endsWith('/jwt') ? 'jwt' : 'opaque',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  };
}
