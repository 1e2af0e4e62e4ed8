import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/** Who the server has to be: an address, or a DNS name in lower case as A-labels, without a dot at its end. */
export interface ServerIdentity {
  readonly type: 'address' | 'name';
  readonly value: string;
}

const NAME = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;

/** Null for what is neither a name nor an address (RFC 9525 section 6.1). */
export function serverIdentity(host: string): ServerIdentity | null {
  // The zone of an address says which way it is reached, not who is there.
  const [address = ''] = host.split('%');
  if (isIP(address) !== 0) return { type: 'address', value: address };
  // Only what is not ASCII: of the rest, domainToASCII would make an address of `127.1`, and `a` of `a/b`.
  const name = (/^[ -~]*$/.test(host) ? host.toLowerCase() : domainToASCII(host)).replace(/\.$/, '');
  if (isIP(name) !== 0) return { type: 'address', value: name };
  return NAME.test(name) ? { type: 'name', value: name } : null;
}

/**
 * Whether a certificate is for a server (RFC 9525 section 6, RFC 7817 section 3): by its DNS-IDs or IP-IDs, never by its
 * common name. A `*` stands for exactly one whole label at the left; OpenSSL wants at least two more behind it.
 */
export function isFor(certificate: X509Certificate, { type, value }: ServerIdentity): boolean {
  if (type === 'address') return certificate.checkIP(value) !== undefined;
  return (
    certificate.checkHost(value, {
      subject: 'never',
      wildcards: true,
      partialWildcards: false,
      multiLabelWildcards: false,
      singleLabelSubdomains: false,
    }) !== undefined
  );
}
