import { describe, expect, it } from 'vitest';
import { networkList, problemOfNetwork } from '../src/index.js';

describe('a network list', () => {
  it.each([
    ['192.0.2.1', ['192.0.2.1'], true],
    ['192.0.2.2', ['192.0.2.1'], false],
    ['192.0.2.255', ['192.0.2.0/24'], true],
    ['192.0.3.0', ['192.0.2.0/24'], false],
    ['192.0.2.7', ['192.0.2.9/24'], true],
    ['203.0.113.9', ['192.0.2.0/24', '203.0.113.0/24'], true],
    ['203.0.113.9', ['0.0.0.0/0'], true],
    ['2001:db8::1', ['0.0.0.0/0'], false],
    ['2001:db8:0:1::5', ['2001:db8::/32'], true],
    ['2001:db9::1', ['2001:db8::/32'], false],
    ['2001:DB8::0:1', ['2001:db8::1'], true],
    ['2001:db8::1', ['::/0'], true],
    ['::ffff:192.0.2.9', ['192.0.2.0/24'], true],
    ['::ffff:198.51.100.1', ['192.0.2.0/24'], false],
    ['fe80::1%eth0', ['fe80::/10'], true],
    ['192.0.2.1', [], false],
    ['', ['::/0', '0.0.0.0/0'], false],
    ['unknown', ['::/0', '0.0.0.0/0'], false],
    [null, ['::/0', '0.0.0.0/0'], false],
  ])('of %j: whether %j is in it', (address, networks, expected) => {
    expect(networkList(networks).includes(address)).toBe(expected);
  });

  it.each([
    '',
    'local',
    '192.0.2.0/33',
    '2001:db8::/129',
    '192.0.2/24',
    '192.0.2.0/',
    'example.org',
    ' 192.0.2.1',
    '192.0.2.0/24 ',
  ])('refuses %j', (text) => {
    expect(problemOfNetwork(text)).toContain('neither an address nor a network');
    expect(() => networkList([text])).toThrow(/Not a network/);
  });
});
