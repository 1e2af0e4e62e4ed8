export type { Awaited, ClientChannel } from './client-channel.js';
export {
  type AuthenticateOptions,
  type Authentication,
  type Conversation,
  type ConverseOptions,
  converse,
  type Greeting,
  type Reply,
} from './converse.js';
export type { ReplyBody } from './reply-body.js';
export { type ByteChannel, type Fault, type ServeOptions, serve } from './serve.js';
