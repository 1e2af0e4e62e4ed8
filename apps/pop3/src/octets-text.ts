const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** Octets for people: `812 bytes`, `12.3 kB`, `104 MB`. */
export function octetsText(octets: number): string {
  let value = octets;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `1 message`, `2 messages`. */
export function messagesText(count: number): string {
  return `${count} ${count === 1 ? 'message' : 'messages'}`;
}
