export type {
  AuthContext,
  Authenticator,
  AuthOutcome,
  Body,
  ChannelBindingType,
  CommitOutcome,
  Credentials,
  Envelope,
  Identity,
  Maildrop,
  MaybePromise,
  MessageStore,
  Peer,
  PeerCertificate,
  Refusal,
  RefusalReason,
  ScramForm,
  ScramKeys,
  StoreContext,
  TokenProblem,
} from './adapter.js';
export { type Capabilities, encodeCapabilities, parseCapabilities } from './capability.js';
export type {
  ClientFailure,
  ClientLimits,
  ClientSessionOptions,
  ClientState,
  ClientTrace,
  Status,
} from './client/options.js';
export { type ClientAction, ClientSession } from './client/session.js';
export {
  type ClientCommand,
  type Command,
  type CommandParse,
  type CommandProblem,
  describeCommand,
  encodeCommand,
  type OtherCommand,
  parseCommand,
  type Verb,
} from './command.js';
export { DeletionMarkSet, type DeletionMarks } from './deletion-marks.js';
export { isPop3Error, Pop3Error, type Pop3ErrorCode, type Pop3ErrorDetails } from './errors.js';
export type {
  ExtensionCommand,
  ExtensionContext,
  ExtensionReply,
  ExtensionState,
  Pop3Extension,
} from './extension.js';
export { LineReader, type LineResult } from './line-reader.js';
export { MaildropListing, type MaildropListingBuilder } from './listing.js';
export type { IndexOf } from './next-octet.js';
export { OctetCounter, wireOctetsOf } from './octet-counter.js';
export {
  encodeStatusLine,
  parseGreeting,
  parseScanLine,
  parseStatusLine,
  parseUniqueIdLine,
  type ResponseCode,
  type StatusLine,
} from './response.js';
export type {
  CloseReason,
  OfferedMechanism,
  PeerChanges,
  ServerLimits,
  ServerSessionOptions,
  ServerState,
  ServerTrace,
} from './server/options.js';
export { DEFAULT_LIMITS } from './server/options.js';
export type { AnswerTo, SaslOutcome, ServerAnswers, ServerRequest } from './server/requests.js';
export { type ServerAction, ServerSession } from './server/session.js';
export { TopCutter } from './top-cutter.js';
export { type WireDecoded, WireDecoder, type WireDecoderOptions } from './wire-decoder.js';
export { WireEncoder } from './wire-encoder.js';
export { type WireKernel, wireKernel } from './wire-kernel.js';
