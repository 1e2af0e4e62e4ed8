import { type Endpoint, parseEndpoint } from './endpoint.js';
import type { Config } from './schema.js';
import type { KeyPath } from './toml-keys.js';

/** One address to listen on, whichever key it was given by. */
export interface ListenerConfig extends Endpoint {
  /** As it was written. */
  readonly address: string;
  /** The key of the address. */
  readonly path: KeyPath;
  readonly tls: 'off' | 'starttls' | 'implicit';
  readonly minVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly proxyProtocol: boolean;
  readonly xclient: boolean;
  readonly trustProxyTls: boolean;
}

/** All listeners, in the order in which they are opened: `server.listen`, `server.listen_tls`, then `[[listener]]`. */
export function listenersOf(config: Config): ListenerConfig[] {
  const { server, listener: tables } = config;
  const withCertificate = certificatesOf(config).length > 0 ? 'starttls' : 'off';
  const short = (key: 'listen' | 'listen_tls', tls: ListenerConfig['tls']) =>
    server[key].map((address, index) => ({
      ...SHORT_FORM,
      ...at(address),
      path: ['server', key, index],
      tls,
    }));
  return [
    ...short('listen', withCertificate),
    ...short('listen_tls', 'implicit'),
    ...tables.map((table, index) => ({
      ...at(table.address),
      path: ['listener', index, 'address'],
      tls: table.tls ?? withCertificate,
      minVersion: table.min_version,
      proxyProtocol: table.proxy_protocol,
      xclient: table.xclient,
      trustProxyTls: table.trust_proxy_tls,
    })),
  ];
}

const SHORT_FORM = {
  minVersion: 'TLSv1.2',
  proxyProtocol: false,
  xclient: false,
  trustProxyTls: false,
} as const;

function at(address: string) {
  return { address, ...(parseEndpoint(address) as Endpoint) };
}

/** The files of one certificate, and the keys that name them. */
export interface CertificateConfig {
  readonly cert: string;
  readonly key: string;
  readonly certPath: KeyPath;
  readonly keyPath: KeyPath;
}

/** All certificates; the first is for clients that ask for none of their names. */
export function certificatesOf({ server: { tls_cert, tls_key }, certificate }: Config): CertificateConfig[] {
  const first =
    tls_cert === undefined || tls_key === undefined
      ? []
      : [
          {
            cert: tls_cert,
            key: tls_key,
            certPath: ['server', 'tls_cert'],
            keyPath: ['server', 'tls_key'],
          },
        ];
  const further = certificate.map(({ cert, key }, index) => ({
    cert,
    key,
    certPath: ['certificate', index, 'cert'],
    keyPath: ['certificate', index, 'key'],
  }));
  return [...first, ...further];
}
