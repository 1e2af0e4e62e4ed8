import { type Capabilities, Pop3Error, type Status } from '@pop3/core';
export function refusalOf(
  verb: string,
  status: Status,
  _c: { capabilities: Capabilities | null; secrets?: readonly string[]; login?: boolean },
): Pop3Error {
  return new Pop3Error('POP3_REFUSED', `The server refused ${verb}: ${status.text}`, {
    verb,
    responseCode: status.code,
    serverText: status.text,
  });
}
