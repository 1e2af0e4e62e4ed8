export { apopDigest, type Md5, verifyApop } from './apop.js';
export { EXTERNAL } from './external.js';
export { LOGIN } from './login.js';
export {
  type SaslClientExchange,
  type SaslClientMechanism,
  type SaslClientStep,
  type SaslServerContext,
  type SaslServerExchange,
  type SaslServerMechanism,
  usableMechanisms,
} from './mechanism.js';
export { PLAIN } from './plain.js';
