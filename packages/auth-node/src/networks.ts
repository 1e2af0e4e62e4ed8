import { BlockList, isIP } from 'node:net';
import { Pop3Error } from '@pop3/core';

/** A set of addresses. */
export interface NetworkList {
  /** False for null, and for what is no address. An IPv4 address in IPv6 form (`::ffff:192.0.2.1`) counts as itself. */
  includes(address: string | null): boolean;
}

/** What is wrong with a network, as a clause, or null for a good one: an address, or CIDR (RFC 4632) such as `2001:db8::/32`. */
export function problemOfNetwork(text: string): string | null {
  return partsOf(text) === null ? `${JSON.stringify(text)} is neither an address nor a network` : null;
}

/**
 * The addresses in any of the networks. An empty list has none.
 *
 * @param texts - addresses, and networks such as `192.0.2.0/24` and `2001:db8::/32`
 * @throws Pop3Error `POP3_USAGE` for one that is neither.
 */
export function networkList(texts: readonly string[]): NetworkList {
  const list = new BlockList();
  for (const text of texts) {
    const parts = partsOf(text);
    if (parts === null) throw new Pop3Error('POP3_USAGE', `Not a network: ${problemOfNetwork(text)}.`);
    list.addSubnet(parts.address, parts.prefix, parts.family);
  }
  return {
    includes(address) {
      // The zone of a link-local address (fe80::1%eth0) is none of the peer's.
      const [bare = ''] = address?.split('%', 1) ?? [];
      const family = familyOf(bare);
      return family !== null && list.check(bare, family);
    },
  };
}

function partsOf(text: string) {
  const [, address = '', digits] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = familyOf(address);
  if (family === null) return null;
  const length = family === 'ipv4' ? 32 : 128;
  const prefix = digits === undefined ? length : Number(digits);
  return prefix <= length ? { address, prefix, family } : null;
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address);
  return version === 0 ? null : version === 4 ? 'ipv4' : 'ipv6';
}
