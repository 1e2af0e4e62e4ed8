import { isIPv6 } from 'node:net';

/**
 * The addresses that are one peer as far as anybody can tell: an IPv4 address, also one that is written as an IPv6
 * address, and the /64 of an IPv6 address, since a subscriber has all of it. What is no IP address stands for itself.
 */
export function addressBlock(address: string): string {
  const bare = plainAddress(address);
  return isIPv6(bare) ? `${groupsOf(bare).slice(0, 4).join(':')}::/64` : bare;
}

/** Without a zone (RFC 4007), and as IPv4 where it is that: `::ffff:192.0.2.1` is `192.0.2.1`. */
export function plainAddress(address: string): string {
  const zone = address.indexOf('%');
  const bare = zone === -1 ? address : address.slice(0, zone);
  if (!isIPv6(bare)) return address;
  const groups = groupsOf(bare);
  if (groups.slice(0, 6).join(':') !== '0:0:0:0:0:ffff') return bare;
  return groups
    .slice(6)
    .map((group) => Number.parseInt(group, 16))
    .flatMap((value) => [value >> 8, value & 255])
    .join('.');
}

/** The eight groups, in lower case without leading zeros. */
function groupsOf(address: string): string[] {
  // URL writes every spelling in the one of RFC 5952, where `::` stands for all that is left out.
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
}
