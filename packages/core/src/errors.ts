const BRAND = /* @__PURE__ */ Symbol.for('@pop3/error');

/**
 * - `POP3_USAGE`: the caller broke the contract of the function; the text says which part.
 */
export type Pop3ErrorCode = 'POP3_USAGE';

/** What every package of this project throws. Recognise it with {@link isPop3Error}, never by `instanceof`. */
export class Pop3Error extends Error {
  readonly code!: Pop3ErrorCode;

  constructor(code: Pop3ErrorCode, message: string) {
    super(message);
    Object.assign(this, { name: 'Pop3Error', code, [BRAND]: true });
  }
}

/** True for a {@link Pop3Error} of any copy or version of this package. */
export function isPop3Error(value: unknown): value is Pop3Error {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** Stops a caller that misuses an interface; what a peer sends never comes here. */
export function usage(message: string): never {
  throw new Pop3Error('POP3_USAGE', message);
}
