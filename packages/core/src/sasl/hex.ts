/** Two lower-case hexadecimal digits for each octet. */
export function hexOf(octets: Uint8Array): string {
  let digits = '';
  for (const octet of octets) digits += octet.toString(16).padStart(2, '0');
  return digits;
}
