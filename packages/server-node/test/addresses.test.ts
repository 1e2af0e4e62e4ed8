import { describe, expect, it } from 'vitest';
import { canonicalAddress, isLoopback, Networks, withoutMapping } from '../src/addresses.js';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['localhost', null],
  ['192.0.2.01', null],
  ['192.0.2', null],
  ['', null],
])('writes the address %s as %s', (text, canonical) => {
  expect(canonicalAddress(text)).toBe(canonical);
});

it('takes an IPv4 address out of the IPv6 one that carries it, and leaves others alone', () => {
  expect(withoutMapping('::ffff:192.0.2.1')).toBe('192.0.2.1');
  expect(withoutMapping('::ffff:1')).toBe('::ffff:1');
  expect(withoutMapping('2001:db8::1')).toBe('2001:db8::1');
});

it('knows this machine', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1']) expect(isLoopback(address)).toBe(true);
  for (const address of ['128.0.0.1', '::2', '2001:db8::127.0.0.1']) expect(isLoopback(address)).toBe(false);
});

describe('networks', () => {
  const networks = new Networks(['192.0.2.7', '10.0.0.0/8', '2001:db8::/32', '::1']);

  it.each(['192.0.2.7', '10.0.0.0', '10.255.255.255', '2001:db8::', '2001:db8:ffff::1', '::1'])(
    'include %s',
    (address) => {
      expect(networks.includes(address)).toBe(true);
    },
  );

  it.each(['192.0.2.8', '9.255.255.255', '11.0.0.0', '2001:db9::', '::2', '127.0.0.1', 'ann', ''])(
    'do not include %j',
    (address) => {
      expect(networks.includes(address)).toBe(false);
    },
  );

  it.each(['0.0.0.0/0', '::/0'])('may be everything: %s', (network) => {
    expect(new Networks([network]).includes(network.startsWith('0') ? '192.0.2.1' : '2001:db8::1')).toBe(
      true,
    );
  });

  it.each(['', 'localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::/129', '10.0.0/8', '10.0.0.0/-1'])(
    'cannot be %j',
    (network) => {
      expect(() => new Networks([network])).toThrow(expect.objectContaining({ code: 'POP3_USAGE' }));
    },
  );
});
