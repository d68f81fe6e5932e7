import { Fault } from "../../../kit/fault/fault.ts";
import type { Printer } from "../../../kit/out/printer.ts";

/** What is to be confirmed: `Remove 3 snapshots`. */
export interface Confirmation {
  readonly printer: Printer;
  /** With --yes nobody is asked. */
  readonly yes: boolean;
  /** Begins with a verb. */
  readonly action: string;
}

/** Asks before something is destroyed. @throws {Fault} E_CONFIRM unless the user agrees */
export async function confirm({ printer, yes, action }: Confirmation): Promise<void> {
  if (yes) return;
  const { askOnTerminal } = await import("../../../kit/cli/ask.ts");
  const answer = await askOnTerminal(printer, `${action}?`);
  if (answer === "yes") return;
  const verb = `${action.slice(0, 1).toLowerCase()}${action.slice(1)}`;
  throw new Fault(
    answer === "no"
      ? { code: "E_CONFIRM", message: "Cancelled: nothing was changed" }
      : {
          code: "E_CONFIRM",
          message: `Cannot ${verb} without being told to: there is no terminal to ask on`,
          hint: "--dry-run shows what would happen, --yes does it",
        },
  );
}
