/** An address to listen on. */
export interface Endpoint {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** `HOST:PORT`, with brackets around an IPv6 address; `*` is every address of this machine. Null for anything else. */
export function parseEndpoint(text: string): Endpoint | null {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const [, ipv6, name, digits] = match;
  const port = Number(digits);
  const host = ipv6 ?? name ?? '';
  return port > 65_535 ? null : { host: host === '*' ? '::' : host, port };
}

/** The text of an address in use; one for any address keeps the form that Node gives it. */
export function formatEndpoint(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
