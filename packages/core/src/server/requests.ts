import type { AuthOutcome, CommitOutcome, Credentials, Identity, Refusal } from '../adapter.js';
import type { DeletionMarks } from '../deletion-marks.js';
import type { ExtensionReply } from '../extension.js';
import type { MaildropListing } from '../listing.js';
import type { PeerChanges } from './options.js';

/** Work that a session asks of its caller. At most one is open; answer it with `session.answer(request, ...)`. */
export type ServerRequest =
  /** After PASS or APOP. */
  | {
      readonly type: 'authenticate';
      readonly credentials: Extract<Credentials, { type: 'password' | 'apop' }>;
    }
  /** A new SASL exchange; whatever came of an earlier one is void. */
  | {
      readonly type: 'sasl-start';
      readonly mechanism: string;
      readonly initialResponse: Uint8Array | null;
    }
  | { readonly type: 'sasl-step'; readonly response: Uint8Array }
  /** Take the exclusive lock, too (RFC 1939 section 4). */
  | { readonly type: 'open-maildrop'; readonly identity: Identity }
  /** `topLines` is null for the whole message. More than was asked for is cut off by the session. */
  | { readonly type: 'retrieve'; readonly messageNumber: number; readonly topLines: number | null }
  /** A command of {@link ServerSessionOptions.extensions}; `argument` is null when nothing follows the verb, not even a space. */
  | {
      readonly type: 'extension';
      readonly verb: string;
      readonly argument: Uint8Array | null;
      /** Null before login. */
      readonly marks: DeletionMarks | null;
    }
  /** The UPDATE state (RFC 1939 section 6): the only request after which messages may be gone. */
  | { readonly type: 'commit'; readonly deletions: DeletionMarks };

export type SaslOutcome = AuthOutcome | { readonly type: 'challenge'; readonly challenge: Uint8Array };

/** What answers each request. Every request may be refused; a fault of an adapter is refused as `temporary`. */
export interface ServerAnswers {
  authenticate: AuthOutcome;
  'sasl-start': SaslOutcome;
  'sasl-step': SaslOutcome;
  'open-maildrop': { readonly type: 'opened'; readonly listing: MaildropListing } | Refusal;
  retrieve: { readonly type: 'message' } | { readonly type: 'gone' } | Refusal;
  extension: ({ readonly type: 'replied'; readonly changes?: PeerChanges } & ExtensionReply) | Refusal;
  commit: ({ readonly type: 'committed' } & CommitOutcome) | Refusal;
}

export type AnswerTo<R extends ServerRequest> = ServerAnswers[R['type']];
