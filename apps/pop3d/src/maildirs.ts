import type { MessageStore } from '@pop3/core';
import { fsStore, type StoreEvent } from '@pop3/store-fs';
import type { Log } from './log.js';
import { maildirsOf } from './maildir-template.js';

/**
 * The Maildirs of a template as a store. What the store has to say goes into the log.
 *
 * @throws Failure for a template that cannot be right
 */
export function openMaildirs(template: string, log: Log): MessageStore {
  return fsStore({ maildir: maildirsOf(template), report: (event) => logEvent(event, log) });
}

/** How much each event of the store matters to an operator. */
const LEVELS: Readonly<Record<StoreEvent['type'], 'debug' | 'info' | 'warn' | 'error'>> = {
  'size-corrected': 'debug',
  'unique-ids-imported': 'info',
  'lock-taken-over': 'warn',
  'duplicate-renamed': 'warn',
  'message-left-out': 'error',
  'unique-ids-not-written': 'error',
  'delete-failed': 'error',
};

function logEvent({ type, ...details }: StoreEvent, log: Log): void {
  const { error, ...rest } = details as typeof details & { readonly error?: Error };
  log[LEVELS[type]]({ ...rest, ...(error !== undefined && { err: error }) }, type.replaceAll('-', ' '));
}
