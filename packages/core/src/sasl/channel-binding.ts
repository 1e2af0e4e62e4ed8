import type { ChannelBindingType } from '../adapter.js';

/** RFC 9266, RFC 5929 section 4, RFC 5929 section 3. */
export const CHANNEL_BINDING_TYPES: readonly ChannelBindingType[] = [
  'tls-exporter',
  'tls-server-end-point',
  'tls-unique',
];

export function isChannelBindingType(name: string): name is ChannelBindingType {
  return CHANNEL_BINDING_TYPES.some((type) => type === name);
}
