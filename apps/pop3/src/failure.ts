/** Exit codes as `sysexits.h` has them, so that a script knows whether to try again. */
export const EXIT = {
  ok: 0,
  partial: 1,
  usage: 64,
  noInput: 66,
  noHost: 68,
  unavailable: 69,
  software: 70,
  cannotWrite: 73,
  temporary: 75,
  protocol: 76,
  loginRefused: 77,
  interrupted: 130,
} as const;

/** What they mean, for people. */
export const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'done',
  partial: 'some of the messages could not be had, stored or deleted',
  usage: 'wrong call',
  noInput: 'a file, variable or command that was named gives nothing',
  noHost: 'there is no such host',
  unavailable:
    'not possible with this server: no TLS that can be trusted, or something it does not have or do',
  software: 'a defect of ours',
  cannotWrite: 'the system does not let the messages be written',
  temporary: 'try again later: not reachable, connection lost, maildrop in use',
  protocol: 'what the server says makes no sense',
  loginRefused: 'the login was refused',
  interrupted: 'interrupted by Ctrl-C; nothing was deleted, unless the text says otherwise',
};

/** The end of a command, with a text for the person who called it, and an exit code. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.name = 'Failure';
    this.exitCode = exitCode;
  }
}

/** The reader of our output has gone, as `head` does: there is nothing left to do, and nothing to say. */
export class ReaderGone extends Error {}
