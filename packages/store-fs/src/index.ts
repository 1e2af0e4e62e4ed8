export type { Clock, Ticking } from './clock.js';
export { type Delivered, type DeliverOptions, deliverToMaildir, removeStaleDeliveries } from './deliver.js';
export type { StoreEvent } from './events.js';
export type { DovecotMessage, DovecotUniqueId } from './foreign-ids.js';
export { type MaildirOf, maildirTemplate } from './location.js';
export type { TakeOver } from './lock.js';
export { type MaildirName, parseMaildirName } from './maildir-name.js';
export { safeName } from './safe-name.js';
export { type FsStoreOptions, fsStore } from './store.js';
