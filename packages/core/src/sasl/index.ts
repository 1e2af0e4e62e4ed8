export { ANONYMOUS, anonymousClient } from './anonymous.js';
export { apopDigest, type Md5, verifyApop } from './apop.js';
export { cramMd5, cramMd5Client, cramMd5Digest, type HmacMd5, verifyCramMd5 } from './cram-md5.js';
export { EXTERNAL, externalClient } from './external.js';
export { LOGIN, loginClient } from './login.js';
export {
  type SaslClientExchange,
  type SaslClientMechanism,
  type SaslClientStep,
  type SaslServerContext,
  type SaslServerExchange,
  type SaslServerMechanism,
  usableMechanisms,
} from './mechanism.js';
export {
  OAUTHBEARER,
  oauthBearer,
  oauthBearerClient,
  type ServerName,
  type TokenLogin,
} from './oauth-bearer.js';
export { type PasswordLogin, PLAIN, plainClient } from './plain.js';
export { saslprep } from './saslprep.js';
export { type ScramOptions, scram } from './scram.js';
export { type ScramClientOptions, scramClient } from './scram-client.js';
export { type ScramCrypto, type ScramPasswordCrypto, scramKeysOf } from './scram-message.js';
export { signatureHashOf } from './signature-hash.js';
export { XOAUTH2, xoauth2Client } from './xoauth2.js';
