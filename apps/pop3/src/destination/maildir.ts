import { deliverToMaildir } from '@pop3/store-fs';
import type { Destination } from './destination.js';
import { withLfLineEnds } from './lf-line-ends.js';

/** Each message delivered into a Maildir, which is made when it is not there. */
export function maildirDestination(maildir: string): Destination {
  return {
    name: maildir,
    keeps: true,
    has: () => false,
    async store(_message, body) {
      const { name } = await deliverToMaildir(maildir, withLfLineEnds(body), { create: true });
      return `${maildir}/new/${name}`;
    },
    // Each delivery has done it.
    async settle() {},
  };
}
