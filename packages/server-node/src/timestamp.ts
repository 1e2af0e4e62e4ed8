import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/**
 * Makes timestamps for APOP and challenges for CRAM-MD5: `<digits.digits@host>`; other forms are legal and break clients
 * that are known. Random, so that none comes twice.
 */
export function timestamps(): () => string {
  const host = hostname().replace(/[^A-Za-z0-9.-]/g, '') || 'localhost';
  return () => {
    const random = randomBytes(16);
    return `<${random.readBigUInt64BE(0)}.${random.readBigUInt64BE(8)}@${host}>`;
  };
}
