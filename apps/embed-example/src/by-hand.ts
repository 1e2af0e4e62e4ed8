import { MaildropListing, type ServerRequest, ServerSession, wireOctetsOf } from '@pop3/core';

/**
 * A POP3 server as a function, for the test of a mail client: lets everybody in, has these messages, and takes those
 * that a session deletes out of the map. Give it what the peer sent, get what to send back; nothing sent gets the
 * greeting. No driver, no promise: all that is asked for is in memory.
 *
 * @param messages - by unique-id
 */
export function pop3ByHand(messages: Map<string, Uint8Array>): (received: Uint8Array) => Uint8Array[] {
  const session = new ServerSession({ plaintextAuth: 'allow' });
  let uniqueIds: string[] = [];
  let body: Uint8Array | undefined;

  function answer(request: ServerRequest): void {
    switch (request.type) {
      case 'authenticate':
        return session.answer(request, { type: 'accepted', identity: { maildrop: 'any', username: 'any' } });
      case 'open-maildrop': {
        const listing = MaildropListing.builder();
        uniqueIds = [...messages.keys()];
        for (const [uniqueId, message] of messages) listing.add(wireOctetsOf(message), uniqueId);
        return session.answer(request, { type: 'opened', listing: listing.build() });
      }
      case 'retrieve':
        body = messages.get(uniqueIds[request.messageNumber - 1] as string);
        return session.answer(request, { type: body === undefined ? 'gone' : 'message' });
      case 'commit':
        for (const marked of request.deletions) messages.delete(uniqueIds[marked - 1] as string);
        return session.answer(request, { type: 'committed', removed: request.deletions.size, failed: 0 });
      default:
        throw new Error(`${request.type}: the session was given no mechanism.`);
    }
  }

  return (received) => {
    const replies: Uint8Array[] = [];
    session.receive(received);
    for (;;) {
      const action = session.next();
      if (action.type === 'read' || action.type === 'close') return replies;
      if (action.type === 'request') answer(action.request);
      // What is written is lent until the next call of next().
      if (action.type === 'write') replies.push(action.octets.slice());
      if (action.type !== 'read-body') continue;
      if (body === undefined) session.bodyEnd();
      else session.body(body);
      body = undefined;
    }
  };
}
