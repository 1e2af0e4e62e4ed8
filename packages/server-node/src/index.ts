export {
  CHANNELS,
  type ConnectionInfo,
  type FaultEvent,
  type ListenerFailedEvent,
  type LoginRefusedEvent,
  type RejectedEvent,
  type SessionEvent,
  type TlsInfo,
  type TraceEvent,
} from './diagnostics.js';
export type { Pop3ServerLimits } from './limits.js';
export { MECHANISM_NAMES, nodeMechanisms } from './mechanisms.js';
export type { Offer, OfferedTo } from './offer.js';
export { createPop3Server, type ListenOptions, type Pop3Server, type Pop3ServerOptions } from './server.js';
export type { CertificateOptions, TlsOptions, TlsSource } from './tls.js';
export { type CertificateFiles, type TlsFiles, tlsFromFiles } from './tls-files.js';
