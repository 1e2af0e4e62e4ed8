export { envCommand } from './env-command.js';
export { type EnvelopeHeaders, envelopeIn } from './envelope.js';
export { type SdpsLogin, sdpsLogin } from './login.js';
export { type SdpsAdapters, type SdpsOptions, withSdps } from './with-sdps.js';
