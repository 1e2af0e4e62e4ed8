export { type AnonymousUserOptions, anonymousUser } from './anonymous-user.js';
export { anyOf } from './any-of.js';
export { type AppPassword, generateAppPassword, problemOfLabel } from './app-password.js';
export { type Argon2, type Argon2Options, argon2 } from './argon2.js';
export type { MayAct } from './authorization-id.js';
export { type Bcrypt, type BlfCryptOptions, blfCrypt } from './blf-crypt.js';
export { type CertificateUsersOptions, certificateUsers } from './certificate-users.js';
export { type CommandLookupOptions, commandLookup } from './command-lookup.js';
export { cramMd5Context } from './cram-md5-context.js';
export { crypt } from './crypt.js';
export { digestSchemes } from './digest.js';
export type { HashQueueLimits } from './hash-queue.js';
export { type HttpLookupOptions, httpLookup } from './http-lookup.js';
export type { Introspection } from './introspection-reader.js';
export type { JwtKeys, JwtRules } from './jwt-reader.js';
export { type LookupUsersOptions, lookupUsers, type UserProblem } from './lookup-users.js';
export { type NetworkList, networkList, problemOfNetwork } from './networks.js';
export { type PasswdEntry, type PasswdFile, type PasswdProblem, problemOfName } from './passwd-file.js';
export { type PasswdRecord, recordOf } from './passwd-record.js';
export { hashPassword, passwordSchemes, verifyPassword } from './password.js';
export { credentialFormsOf, type PasswordScheme } from './password-scheme.js';
export { pbkdf2 } from './pbkdf2.js';
export { plain } from './plain.js';
export { scramKeys } from './scram-keys.js';
export { type ScryptCost, scrypt } from './scrypt.js';
export { shaCrypt } from './sha-crypt.js';
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
export type { UserLookup, UserPassword, UserRecord } from './user-record.js';
export { type UsersFile, type UsersFileOptions, type UsersFileProblem, usersFile } from './users-file.js';
export type { VerdictCacheLimits } from './verdict-cache.js';
