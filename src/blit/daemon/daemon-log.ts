import type { Printer } from "../../kit/out/printer.ts";

/** What the daemon says while it runs: lines for the journal, on stderr. */
export type DaemonLog = {
  /** For the operator, now. */
  warn(text: string, hint?: string): void;
  /** What happens: connections, transfers, reloads. `-q` hides it. */
  note(text: string): void;
  /** More of it, with `-v`. */
  verbose(text: string): void;
};

/** A log that nobody reads. */
export const silentLog: DaemonLog = { warn: () => {}, note: () => {}, verbose: () => {} };

/** A log for a terminal or the journal: both add what else is wanted, such as the time. */
export function printedLog(printer: Printer): DaemonLog {
  return {
    warn: (text, hint) => printer.warn(text, hint),
    note: (text) => printer.note(text),
    verbose: (text) => printer.verbose(text),
  };
}
