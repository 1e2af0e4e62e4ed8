export type {
  AuthContext,
  Authenticator,
  AuthOutcome,
  Body,
  CommitOutcome,
  Credentials,
  Identity,
  Maildrop,
  MaybePromise,
  MessageStore,
  Peer,
  PeerCertificate,
  Refusal,
  RefusalReason,
  StoreContext,
} from './adapter.js';
export { DeletionMarkSet, type DeletionMarks } from './deletion-marks.js';
export { isPop3Error, Pop3Error, type Pop3ErrorCode } from './errors.js';
export { MaildropListing, type MaildropListingBuilder } from './listing.js';
