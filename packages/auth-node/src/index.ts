export { type AnonymousUserOptions, anonymousUser } from './anonymous-user.js';
export { anyOf } from './any-of.js';
export type { MayAct } from './authorization-id.js';
export { type Bcrypt, type BlfCryptOptions, blfCrypt } from './blf-crypt.js';
export { type CertificateUsersOptions, certificateUsers } from './certificate-users.js';
export type { HashQueueLimits } from './hash-queue.js';
export type { Introspection } from './introspection-reader.js';
export type { JwtKeys, JwtRules } from './jwt-reader.js';
export { type PasswdEntry, type PasswdFile, type PasswdProblem, problemOfName } from './passwd-file.js';
export { hashPassword, passwordSchemes, verifyPassword } from './password.js';
export type { PasswordScheme } from './password-scheme.js';
export { plain } from './plain.js';
export { type ScryptCost, scrypt } from './scrypt.js';
export { staticUsers } from './static-users.js';
export { type Throttled, type ThrottleLimits, type ThrottleOptions, throttled } from './throttle.js';
export {
  type MemoryThrottleStore,
  type MemoryThrottleStoreOptions,
  memoryThrottleStore,
  type ThrottleRule,
  type ThrottleStore,
  throttleWaitMs,
} from './throttle-store.js';
export type { TokenClaims } from './token-claims.js';
export type { TokenTrouble } from './token-trouble.js';
export {
  type IntrospectedUsersOptions,
  type JwtUsersOptions,
  type TokenRefused,
  type TokenUsersOptions,
  tokenUsers,
} from './token-users.js';
export {
  readUsersFile,
  type UsersFileChange,
  type UsersFileOutcome,
  updateUsersFile,
} from './update-users-file.js';
export { type UsersFile, type UsersFileOptions, type UsersFileProblem, usersFile } from './users-file.js';
export type { VerdictCacheLimits } from './verdict-cache.js';
