import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isFor, type ServerIdentity, serverIdentity } from '../src/server-identity.js';
import { type CertificateForm, certificate } from './certificates.js';

/** Whether a certificate of these names is one for this host. */
async function matches(host: string, names: readonly string[], form: CertificateForm = {}): Promise<boolean> {
  const { cert } = await certificate({ commonName: 'nobody', ...form, names });
  return isFor(new X509Certificate(cert), serverIdentity(host) as ServerIdentity);
}

describe('a host', () => {
  it.each([
    ['Mail.Example.ORG', 'name', 'mail.example.org'],
    ['mail.example.org.', 'name', 'mail.example.org'],
    ['localhost', 'name', 'localhost'],
    ['_pop3._tcp.example.org', 'name', '_pop3._tcp.example.org'],
    ['bücher.example', 'name', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'name', 'xn--bcher-kva.example'],
    ['mail。example.org', 'name', 'mail.example.org'],
    ['127.0.0.1', 'address', '127.0.0.1'],
    ['１２７.0.0.1', 'address', '127.0.0.1'],
    ['::1', 'address', '::1'],
    ['fe80::1%eth0', 'address', 'fe80::1'],
  ])('%s is a %s: %s', (host, type, value) => {
    expect(serverIdentity(host)).toEqual({ type, value });
  });

  it.each([
    '',
    '.',
    '.example.org',
    'a..b',
    '*.example.org',
    'example.org/a',
    'ann@example.org',
    'example.org:995',
    '[::1]',
    'exa mple.org',
    'exämple org',
    'a\0b',
    `${'a'.repeat(64)}.example.org`,
  ])('is not %j', (host) => {
    expect(serverIdentity(host)).toBeNull();
  });
});

describe('a name', () => {
  it.each([
    ['mail.example.org', ['mail.example.org']],
    ['mail.example.org', ['other.example.org', 'mail.example.org']],
    ['MAIL.example.ORG', ['Mail.Example.org']],
    ['mail.example.org.', ['mail.example.org']],
    ['bücher.example', ['xn--bcher-kva.example']],
    ['bücher.example', ['XN--BCHER-KVA.example']],
    ['a.example.org', ['*.example.org']],
    ['xn--bcher-kva.example.org', ['*.example.org']],
    ['bücher.example.org', ['*.example.org']],
  ])('%s is meant by %j', async (host, names) => {
    expect(await matches(host, names)).toBe(true);
  });

  it.each([
    ['mail.example.org', []],
    ['mail.example.org', ['example.org']],
    ['example.org', ['mail.example.org']],
    ['mail.example.org', ['mail.example.org.evil.example']],
    // A wildcard is exactly one label (RFC 7817 section 3).
    ['example.org', ['*.example.org']],
    ['a.b.example.org', ['*.example.org']],
    // It is the whole of the left-most one.
    ['mail.example.org', ['m*.example.org']],
    ['mail.example.org', ['*l.example.org']],
    ['mail.example.org', ['m*l.example.org']],
    ['mail.example.org', ['mail.*.org']],
    ['mail.example.org', ['mail.example.*']],
    ['a.b.example.org', ['*.*.example.org']],
    ['example.org', ['*']],
    ['mail.example.org', ['*']],
    ['mail.org', ['*.org']],
    ['xn--bcher-kva.example.org', ['xn--*.example.org']],
    // Names of other kinds (RFC 9525 section 6).
    ['mail.example.org', ['URI:pop://mail.example.org']],
    ['mail.example.org', ['URI:mail.example.org']],
  ])('%s is not meant by %j', async (host, names) => {
    expect(await matches(host, names)).toBe(false);
  });

  it.each([
    ['without other names', []],
    ['with other names', ['other.example.org']],
    ['with an address', ['127.0.0.1']],
  ])('is never the common name, %s', async (_, names) => {
    expect(await matches('mail.example.org', names, { commonName: 'mail.example.org' })).toBe(false);
  });

  it('is not found within another one that holds commas and prefixes', async () => {
    expect(await matches('mail.example.org', ['evil.example, DNS:mail.example.org'])).toBe(false);
    expect(await matches('mail.example.org', ['mail.example.org\0.evil.example'])).toBe(false);
  });
});

describe('an address', () => {
  it.each([
    ['127.0.0.1', ['127.0.0.1']],
    ['::1', ['::1']],
    ['0:0:0:0:0:0:0:1', ['::1']],
    ['2001:DB8::a', ['2001:db8:0:0:0:0:0:a']],
    ['fe80::1%eth0', ['fe80::1']],
  ])('%s is meant by %j', async (host, names) => {
    expect(await matches(host, names)).toBe(true);
  });

  it.each([
    ['127.0.0.1', ['127.0.0.2']],
    ['127.0.0.1', ['::ffff:127.0.0.1']],
    ['::1', ['127.0.0.1']],
    ['127.0.0.1', ['localhost']],
  ])('%s is not meant by %j', async (host, names) => {
    expect(await matches(host, names)).toBe(false);
  });

  it('is never meant by a DNS name, nor by the common name', async () => {
    expect(await matches('127.0.0.1', ['DNS:127.0.0.1'])).toBe(false);
    expect(await matches('127.0.0.1', ['DNS:*.0.0.1'])).toBe(false);
    expect(await matches('::1', ['DNS:::1'])).toBe(false);
    expect(await matches('127.0.0.1', [], { commonName: '127.0.0.1' })).toBe(false);
    expect(await matches('mail.example.org', ['127.0.0.1'])).toBe(false);
  });
});
