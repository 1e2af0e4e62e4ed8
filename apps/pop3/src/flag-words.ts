/** What the client calls its options, and what they are called here. */
const WORDS: readonly (readonly [option: RegExp, flag: string])[] = [
  [/\btls to '(\w+)' or '(\w+)'/g, '--tls to $1 or $2'],
  [/\btls: '(\w+)'/g, '--tls $1'],
  [/\bset tls\b/g, 'set --tls'],
  [/\ballowPlaintext\b/g, '--allow-plaintext'],
  [/\btrust\.ca\b/g, '--ca'],
  [/\btrust\.fingerprint256\b/g, '--fingerprint'],
  [/\btrust\.serverName\b/g, '--server-name'],
  [/\btrust\.minVersion\b/g, '--min-tls'],
  [/\bclientCertificate\b/g, '--cert and --key'],
  [/\bauth\.user\b/g, '--user'],
  [/\bauth\.mechanism\b/g, '--mechanism'],
  [/\bauth\.password\b/g, 'the password'],
  [/\btimeouts\.\w+/g, '--timeout'],
];

/** A text of the client for whoever uses it by flags. */
export function inFlagWords(text: string): string {
  return WORDS.reduce((said, [option, flag]) => said.replace(option, flag), text);
}
