import { X509Certificate } from 'node:crypto';

/** Finds what belongs to the name that a client asks for (RFC 6066 section 3): the exact name first, then its wildcard. */
export class ServerNames<T> {
  readonly #exact = new Map<string, T>();
  /** By what follows the `*`. */
  readonly #wildcard = new Map<string, T>();

  /** Of several for one name, the first stays. */
  add(names: readonly string[], value: T): void {
    for (const name of names) {
      const [known, key] = name.startsWith('*.') ? [this.#wildcard, name.slice(1)] : [this.#exact, name];
      if (!known.has(key)) known.set(key, value);
    }
  }

  find(name: string): T | undefined {
    const asked = name.toLowerCase().replace(/\.$/, '');
    const dot = asked.indexOf('.');
    // A wildcard is one whole label, and never an empty one (RFC 9525 section 6.3).
    return this.#exact.get(asked) ?? (dot > 0 ? this.#wildcard.get(asked.slice(dot)) : undefined);
  }
}

/** The DNS names of a certificate, in lower case. The common name is none of them (RFC 9525 section 2). */
export function dnsNamesOf(cert: string | Buffer | readonly (string | Buffer)[]): string[] {
  return [cert].flat().flatMap((pem) =>
    (new X509Certificate(pem as string | Buffer).subjectAltName ?? '')
      .split(', ')
      .filter((name) => name.startsWith('DNS:'))
      .map((name) => name.slice('DNS:'.length).toLowerCase()),
  );
}
