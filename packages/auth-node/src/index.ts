export { type Bcrypt, type BlfCryptOptions, blfCrypt } from './blf-crypt.js';
export type { HashQueueLimits } from './hash-queue.js';
export { type PasswdEntry, type PasswdFile, type PasswdProblem, problemOfName } from './passwd-file.js';
export { hashPassword, passwordSchemes, verifyPassword } from './password.js';
export type { PasswordScheme } from './password-scheme.js';
export { plain } from './plain.js';
export { type ScryptCost, scrypt } from './scrypt.js';
export { staticUsers } from './static-users.js';
export {
  readUsersFile,
  type UsersFileChange,
  type UsersFileOutcome,
  updateUsersFile,
} from './update-users-file.js';
export { type UsersFile, type UsersFileOptions, type UsersFileProblem, usersFile } from './users-file.js';
