import { describe, expect, it } from 'vitest';
import { dnsNamesOf, ServerNames } from '../src/server-names.js';
import { authority, serverCertificate } from './certificates.js';

function names(): ServerNames<string> {
  const known = new ServerNames<string>();
  known.add(['*.example.org', 'mail.example.org'], 'first');
  known.add(['pop.example.org', 'mail.example.org', '*.net'], 'second');
  return known;
}

describe('names', () => {
  it.each([
    ['mail.example.org', 'first'],
    ['MAIL.Example.ORG', 'first'],
    ['mail.example.org.', 'first'],
    // The exact name of the second one is better than the wildcard of the first.
    ['pop.example.org', 'second'],
    ['other.example.org', 'first'],
    ['example.net', 'second'],
    ['a.b.example.org', undefined],
    ['example.org', undefined],
    ['.example.org', undefined],
    ['*.example.org', 'first'],
    ['localhost', undefined],
    ['', undefined],
  ])('find for %j: %s', (name, found) => {
    expect(names().find(name)).toBe(found);
  });
});

it('reads the DNS names of a certificate, and no other names', async () => {
  const { cert } = await serverCertificate('cn.example.org', ['Mail.Example.org', '*.example.net']);
  expect(dnsNamesOf(cert)).toEqual(['mail.example.org', '*.example.net']);
  expect(dnsNamesOf([cert, Buffer.from(cert)])).toHaveLength(4);
  // Its names are an address of mail and a common name.
  expect(dnsNamesOf((await (await authority()).issue('ann')).cert)).toEqual([]);
});
