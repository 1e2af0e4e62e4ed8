export type {
  CallOptions,
  CommandOptions,
  CommandReply,
  FailedDeletion,
  MessagesOptions,
  Pop3Client,
  QuitResult,
  Reconnection,
} from './client.js';
export { connectPop3 } from './client.js';
export type { MessageBody, Pop3Message } from './message.js';
export type {
  AccessTokenSource,
  Auth,
  CertificateAuth,
  ClientCertificate,
  ClientNodeLimits,
  ConnectOptions,
  ConnectOverSocket,
  ConnectToHost,
  MechanismAuth,
  PasswordAuth,
  Progress,
  Timeouts,
  TlsMode,
  TokenAuth,
  TokenRefusal,
  Trust,
} from './options.js';
