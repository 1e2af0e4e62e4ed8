import { generate, type SelfsignedOptions } from 'selfsigned';

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

const EC = { keyType: 'ec', algorithm: 'sha256' } as const;

/** A certificate that stands for itself, for DNS names beside its common name. */
export async function serverCertificate(
  commonName = 'localhost',
  dnsNames: readonly string[] = [],
  form: Pick<SelfsignedOptions, 'keyType' | 'algorithm'> = EC,
): Promise<KeyPair> {
  const altNames = dnsNames.map((value) => ({ type: 2 as const, value }));
  const made = await generate([{ name: 'commonName', value: commonName }], {
    ...form,
    ...(altNames.length > 0 && { extensions: [{ name: 'subjectAltName', altNames }] }),
  });
  return { cert: made.cert, key: made.private };
}

/** An authority, and certificates it gives to clients. */
export async function authority(): Promise<KeyPair & { issue(commonName: string): Promise<KeyPair> }> {
  const made = await generate([{ name: 'commonName', value: 'Authority' }], {
    ...EC,
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  });
  const ca = { cert: made.cert, key: made.private };
  return {
    ...ca,
    async issue(commonName) {
      const issued = await generate([{ name: 'commonName', value: commonName }], {
        ...EC,
        ca,
        extensions: [
          { name: 'extKeyUsage', clientAuth: true },
          { name: 'subjectAltName', altNames: [{ type: 1, value: `${commonName}@example.org` }] },
        ],
      });
      return { cert: issued.cert, key: issued.private };
    },
  };
}
