import * as oauth from 'openid-client';
import { type AuthorizationServer, DEVICE_CLIENT_ID, SCOPE } from './authorization-server.js';

/** Whom a program gets a token from, for whom. */
export interface TokenOrder {
  readonly user: string;
  /** One of `RESOURCES`. */
  readonly resource: string;
}

/** What a program on a device gets in the end. */
export interface DeviceTokens {
  readonly accessToken: string;
  /** A newer access token for the old ones' place (RFC 6749 section 6). */
  refresh(): Promise<string>;
  /** Gives the access token up (RFC 7009). */
  revoke(): Promise<void>;
}

/**
 * The device flow (RFC 8628): a program shows a code, its user enters the code into a browser elsewhere, logs in and
 * agrees, and the program gets its token.
 */
export async function tokensByDeviceFlow(
  { issuer }: AuthorizationServer,
  { user, resource }: TokenOrder,
): Promise<DeviceTokens> {
  const options = { execute: [oauth.allowInsecureRequests] };
  const config = await oauth.discovery(new URL(issuer), DEVICE_CLIENT_ID, undefined, oauth.None(), options);
  const order = { scope: `openid offline_access ${SCOPE}`, resource };
  const shown = await oauth.initiateDeviceAuthorization(config, order);
  await new Browser(user).approve(shown.verification_uri_complete ?? '');
  // All is done before the first question, so there is nothing to wait for.
  const tokens = await oauth.pollDeviceAuthorizationGrant(config, { ...shown, interval: 0 }, { resource });
  return {
    accessToken: tokens.access_token,
    refresh: async () => {
      const newer = await oauth.refreshTokenGrant(config, tokens.refresh_token ?? '', { resource });
      return newer.access_token;
    },
    revoke: () => oauth.tokenRevocation(config, tokens.access_token),
  };
}

/** As much of a browser as it takes: cookies, redirects, and the forms that a page has. */
class Browser {
  readonly #user: string;
  readonly #cookies = new Map<string, string>();

  constructor(user: string) {
    this.#user = user;
  }

  /** Follows the address that a device shows, and presses the button of each form. */
  async approve(address: string): Promise<void> {
    let page = await this.#open(address);
    for (let form = formIn(page); form !== null; form = formIn(page)) {
      page = await this.#open(form.action, new URLSearchParams(form.fields));
    }
  }

  /** The page at the end of all redirects. */
  async #open(address: string, body?: URLSearchParams): Promise<string> {
    const url = new URL(address);
    if (url.pathname.startsWith('/interaction/')) url.searchParams.set('user', this.#user);
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(body !== undefined && { method: 'POST', body }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location !== null) return this.#open(new URL(location, url).href);
    const page = await response.text();
    if (response.status === 200) return page;
    throw new Error(`${url.pathname} answered ${response.status}: ${page}`);
  }
}

/** The first form of a page, with the values that stand in it; null when there is none. */
function formIn(page: string): { readonly action: string; readonly fields: Record<string, string> } | null {
  const [, head = '', inside = ''] = /<form\b([^>]*)>(.*?)<\/form>/s.exec(page) ?? [];
  const action = attributeOf(head, 'action');
  if (action === undefined) return null;
  const inputs = [...inside.matchAll(/<input\b([^>]*)>/g)].map(([, attributes = '']) => attributes);
  const fields = inputs.map((input) => [attributeOf(input, 'name') ?? '', attributeOf(input, 'value') ?? '']);
  return { action, fields: Object.fromEntries(fields.filter(([name]) => name !== '')) };
}

function attributeOf(tag: string, name: string): string | undefined {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
}
