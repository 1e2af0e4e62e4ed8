export { type ByteChannel, type Fault, type ServeOptions, serve } from './serve.js';
