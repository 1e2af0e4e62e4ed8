import type { MaybePromise } from './adapter.js';

export function isPending(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

/** Goes on at once with what is there, without a promise. */
export function andThen<A, B>(value: MaybePromise<A>, next: (value: A) => MaybePromise<B>): MaybePromise<B> {
  return isPending(value) ? value.then(next) : next(value);
}
