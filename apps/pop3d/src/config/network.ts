import { isIP } from 'node:net';

/** Whether a text is an address, or a network as `ADDRESS/PREFIX`. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...surplus] = text.split('/');
  const version = isIP(address);
  if (version === 0 || surplus.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}
