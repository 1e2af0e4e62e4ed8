import { BlockList, isIP, SocketAddress } from 'node:net';
import { Pop3Error } from '@pop3/core';

/**
 * The one form of an address: limits and lists count by it. An IPv4 address is one also where IPv6 carries it (RFC 4291
 * section 2.5.5.2); IPv6 is written as RFC 5952 has it, without a zone.
 *
 * @returns null for what is no address
 */
export function canonicalAddress(text: string): string | null {
  const [bare = ''] = text.split('%', 1);
  switch (isIP(bare)) {
    case 4:
      return bare;
    case 6:
      return withoutMapping(new SocketAddress({ address: bare, family: 'ipv6' }).address);
    default:
      return null;
  }
}

/** An address as the system gives it, which writes it in one form only. */
export function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=[0-9]+\.)/, '');
}

/** This machine (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3). */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** Networks that are believed: addresses, and networks such as `10.0.0.0/8` or `2001:db8::/32`. */
export class Networks {
  readonly #list = new BlockList();

  /** @throws Pop3Error `POP3_USAGE` for what is no network. */
  constructor(networks: readonly string[]) {
    for (const network of networks) this.#add(network);
  }

  /** @param address - in its canonical form */
  includes(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && this.#list.check(address, version === 4 ? 'ipv4' : 'ipv6');
  }

  #add(network: string): void {
    const [text = '', bits, ...surplus] = network.split('/');
    const version = isIP(text);
    const width = version === 4 ? 32 : 128;
    const prefix = bits === undefined ? width : /^[0-9]{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (version === 0 || surplus.length > 0 || !(prefix <= width)) {
      throw new Pop3Error(
        'POP3_USAGE',
        `${network} is no network; write an address, or one like 10.0.0.0/8 or 2001:db8::/32.`,
      );
    }
    this.#list.addSubnet(text, prefix, version === 4 ? 'ipv4' : 'ipv6');
  }
}
