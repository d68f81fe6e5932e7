/**
 * The catalogue of expected failures and the one table of exit codes. `docs/reference/errors.md`
 * and `docs/reference/exit-codes.md` are generated from this file (`bun run docs`).
 */

/** One row of the catalogue. */
export interface FaultEntry {
  /** Exit code of a command that ends with this fault. */
  readonly exit: number;
  /** One sentence for the reference page. */
  readonly summary: string;
  /** What the reader of the message can do about it. */
  readonly remedy: string;
}

/** Every code that a {@link Fault} may carry. A code, once released, keeps its meaning. */
export const FAULT_CODES = {
  E_USAGE: {
    exit: 2,
    summary: "The command line is not understood: an unknown command or flag, a missing value.",
    remedy: "Follow the hint, or read the command's --help.",
  },
  E_CONFIG: {
    exit: 2,
    summary: "A configuration file holds something that is not understood.",
    remedy: "The message names the file and the line; correct it there.",
  },
  E_NOT_FOUND: {
    exit: 1,
    summary: "Something that the command was pointed at does not exist.",
    remedy: "Check the spelling and the working folder.",
  },
  E_REFUSED: {
    exit: 1,
    summary: "The command was understood and is refused, because it would do harm.",
    remedy: "The message says what was in danger; the hint names the flag that allows it, if any.",
  },
  E_CONFIRM: {
    exit: 1,
    summary: "A confirmation was needed and was denied, or there was no terminal to ask on.",
    remedy: "Look at the plan with --dry-run, then repeat the command with --yes.",
  },
  E_IO: {
    exit: 1,
    summary: "The operating system refused to read or write something.",
    remedy: "The message names the call, the path and the reason.",
  },
  E_NO_SPACE: {
    exit: 1,
    summary: "The target has no space left, or a quota is used up.",
    remedy: "Make room and run the command again; what is complete is not copied twice.",
  },
  E_PARTIAL: {
    exit: 4,
    summary: "The command finished, but some of its items failed; each of them is named.",
    remedy: "Correct the named items and run the command again.",
  },
  E_STALL: {
    exit: 1,
    summary: "Nothing moved for too long: neither the planner nor a worker made progress.",
    remedy: "Look at the named device or mount; a dead network mount is the usual cause.",
  },
  E_UNSATISFIABLE: {
    exit: 1,
    summary: "No set of package versions fulfils all requirements.",
    remedy: "The message tells how the requirements exclude each other; the hint what to relax.",
  },
  E_NETWORK: {
    exit: 1,
    summary: "A server did not answer, refused, or answered with an error, also after retries.",
    remedy: "Check the address, the proxy and the credentials; --offline uses what is cached.",
  },
  E_AUTH: {
    exit: 1,
    summary: "A server did not take who asks, or it is not the server that it was before.",
    remedy: "Check the token, the certificate and the address; the message names which of them.",
  },
  E_INTEGRITY: {
    exit: 1,
    summary: "A file is not what its hash, its signature or its own records say; it was not used.",
    remedy: "Ask whoever serves the file; if it is only damaged, `blast clean` and try again.",
  },
  E_BUILD: {
    exit: 1,
    summary: "A package could not be built from its sources.",
    remedy: "The output of the build is shown; a wheel for this platform would avoid the build.",
  },
  E_LOCKED: {
    exit: 1,
    summary: "Another process is changing the same thing.",
    remedy: "Wait for the process that the message names.",
  },
  E_NEEDS_LINUX: {
    exit: 1,
    summary: "The command uses something that only Linux has.",
    remedy: "Run it on Linux.",
  },
  E_PRIVILEGE: {
    exit: 1,
    summary: "The command needs rights that this user does not have.",
    remedy: "Run it as root, or as a user with the right that the message names.",
  },
  E_NOT_BUILT: {
    exit: 1,
    summary: "What is asked for is not contained in this build of triad, or in that of a server.",
    remedy: "Install a later release there; the message says what is missing.",
  },
  E_BUG: {
    exit: 3,
    summary: "A bug in triad.",
    remedy: "Repeat the command with --debug and report what it prints.",
  },
  E_INTERRUPTED: {
    exit: 130,
    summary: "The command was interrupted (Ctrl-C) and has cleaned up after itself.",
    remedy: "Run it again; what is complete is not done twice.",
  },
  E_TERMINATED: {
    exit: 143,
    summary: "The command was told to terminate (SIGTERM) and has cleaned up after itself.",
    remedy: "Run it again; what is complete is not done twice.",
  },
} as const satisfies Record<string, FaultEntry>;

/** A code of the catalogue. */
export type FaultCode = keyof typeof FAULT_CODES;

/** True if the text is a code of the catalogue. */
export function isFaultCode(text: unknown): text is FaultCode {
  return typeof text === "string" && Object.hasOwn(FAULT_CODES, text);
}

/** What every exit code means, for every command of every name. */
export const EXIT_CODES = [
  { code: 0, summary: "Done. Also when the reader of a pipe has left early." },
  { code: 1, summary: "What was asked for is impossible: not found, refused, no space." },
  { code: 2, summary: "The command line or a configuration file is not understood." },
  { code: 3, summary: "A bug in triad." },
  { code: 4, summary: "Partial success: some items failed or vanished; each of them is named." },
  { code: 130, summary: "Interrupted (Ctrl-C)." },
  { code: 143, summary: "Terminated (SIGTERM)." },
] as const;
