export type { NumberedMap, ScanListing, UniqueIdListing } from '../client/message-maps.js';
export type {
  AccessTokenSource,
  Auth,
  CertificateAuth,
  MechanismAuth,
  PasswordAuth,
  TokenAuth,
  TokenRefusal,
} from './auth.js';
export {
  type Beginning,
  type BeginOptions,
  beginSession,
  type SecurableChannel,
  type TlsMode,
} from './begin-session.js';
export {
  type CommandOptions,
  type CommandReply,
  type DropListing,
  type FailedDeletion,
  openClient,
  type Pop3Client,
  type QuitResult,
  type Reconnection,
} from './client.js';
export type { Awaited, ClientChannel } from './client-channel.js';
export type {
  ClientOptions,
  Connector,
  OwnedChannel,
  Progress,
  ReceiveLimits,
} from './client-options.js';
export {
  type AuthenticateOptions,
  type Authentication,
  type Conversation,
  type ConverseOptions,
  converse,
  type Greeting,
  type Reply,
} from './converse.js';
export type { LoginCrypto } from './mechanisms.js';
export type { CallOptions, MessageBody, MessagesOptions, Pop3Message } from './message.js';
export { type ListingLimits, readScanListing, readUniqueIds } from './read-listing.js';
export type { ReplyBody } from './reply-body.js';
export { withoutSecrets } from './secrets.js';
export { type ByteChannel, type Fault, type ServeOptions, serve } from './serve.js';
