/** Exit codes as `sysexits.h` has them; mail systems read those of `deliver`. */
export const EXIT = {
  ok: 0,
  usage: 64,
  /** What was given cannot be used: a name, a password. */
  badInput: 65,
  noSuchUser: 67,
  /** A defect of ours. */
  software: 70,
  /** The system refused: a port in use, a full disk. */
  system: 71,
  /** Nothing is lost; try again later. */
  temporary: 75,
  noPermission: 77,
  badConfiguration: 78,
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

/** The code of an error of the file system or the network, such as ENOENT; null for other errors. */
export function systemCodeOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : null;
}

/**
 * The exit code for an error of the system that the person who called can do something about; null for other errors,
 * which are defects of ours.
 */
export function exitCodeOfSystemError(error: unknown): number | null {
  if (isPermissionError(error)) return EXIT.noPermission;
  switch (systemCodeOf(error)) {
    case null:
      return null;
    case 'ELOCKED':
      return EXIT.temporary;
    default:
      return EXIT.system;
  }
}

/** Whether the system refused for want of permission. */
export function isPermissionError(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes(systemCodeOf(error) ?? '');
}
