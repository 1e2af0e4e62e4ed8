import { BlockList, isIP } from 'node:net';

/** Whether a text is an address, or a network as `ADDRESS/PREFIX`. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...surplus] = text.split('/');
  const version = isIP(address);
  if (version === 0 || surplus.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/** The addresses in networks that {@link isNetwork} takes; an IPv4 address may come in the form that IPv6 has for it. */
export function networksOf(texts: readonly string[]): { includes(address: string): boolean } {
  const list = new BlockList();
  for (const text of texts) {
    const [address = '', prefix] = text.split('/');
    const family = familyOf(address);
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return { includes: (address) => isIP(address) !== 0 && list.check(address, familyOf(address)) };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
