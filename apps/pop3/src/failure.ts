/** Exit codes as `sysexits.h` has them, so that a script knows whether to try again. */
export const EXIT = {
  ok: 0,
  /** Some of the messages could not be had, kept or deleted. */
  partial: 1,
  usage: 64,
  /** A file, variable or command that was named gives nothing. */
  noInput: 66,
  noHost: 68,
  /** Trying again does not help: no TLS that can be trusted, something that the server does not have. */
  unavailable: 69,
  /** A defect of ours. */
  software: 70,
  cannotWrite: 73,
  /** Nothing is lost; try again later. */
  temporary: 75,
  /** What the server says makes no sense. */
  protocol: 76,
  loginRefused: 77,
  /** By SIGINT, as shells have it. */
  interrupted: 130,
} as const;

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
