import type { MaybePromise } from '@pop3/core';

/** Goes on at once with what is there, without a promise. */
export function andThen<A, B>(value: MaybePromise<A>, next: (value: A) => MaybePromise<B>): MaybePromise<B> {
  return isPending(value) ? value.then(next) : next(value);
}

function isPending<A>(value: MaybePromise<A>): value is PromiseLike<A> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
