import { isIP } from 'node:net';
import { generate, type SelfsignedOptions } from 'selfsigned';

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateForm {
  readonly commonName?: string;
  /** DNS names and addresses; `DNS:` and `URI:` in front say what it is. */
  readonly names?: readonly string[];
  readonly ca?: KeyPair;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const EC = { keyType: 'ec', algorithm: 'sha256' } as const;

/** A certificate that stands for itself, or that of an authority. */
export async function certificate(form: CertificateForm = {}): Promise<KeyPair> {
  const { commonName = 'localhost', names = [], ca, notBefore, notAfter } = form;
  const altNames = names.map((value) => {
    if (isIP(value) !== 0) return { type: 7 as const, ip: value };
    const [, kind, name = ''] = /^(URI|DNS):(.*)/s.exec(value) ?? [null, 'DNS', value];
    return { type: kind === 'URI' ? (6 as const) : (2 as const), value: name };
  });
  const options: SelfsignedOptions = {
    ...EC,
    ...(ca && { ca }),
    ...(notBefore && { notBeforeDate: notBefore }),
    ...(notAfter && { notAfterDate: notAfter }),
    // Without a list of its own, selfsigned makes the common name a DNS name.
    extensions:
      altNames.length > 0
        ? [{ name: 'subjectAltName', altNames }]
        : [{ name: 'basicConstraints', cA: false }],
  };
  const made = await generate([{ name: 'commonName', value: commonName }], options);
  return { cert: made.cert, key: made.private };
}

/** One that can stand behind others. */
export async function authority(): Promise<KeyPair> {
  const made = await generate([{ name: 'commonName', value: 'Authority' }], {
    ...EC,
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  });
  return { cert: made.cert, key: made.private };
}
