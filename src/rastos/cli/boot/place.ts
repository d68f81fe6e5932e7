import { readFileSync } from "node:fs";
import type { Printer } from "../../../kit/out/printer.ts";
import { findBootTarget } from "../../boot/find-target.ts";
import { BootMenu } from "../../boot/menu.ts";
import { openBootFiles } from "../../boot/target.ts";
import type { BootTarget, EntryIdentity } from "../../boot/types.ts";
import { deploymentOfCommandLine } from "../../deploy/command-line.ts";
import { openRoot } from "../../snapshot/root.ts";

/** What a command says about where it works. */
interface Context {
  readonly args: { readonly root: string | undefined; readonly esp: string | undefined };
  readonly printer: Printer;
}

/** A root and its boot partition, not locked. */
export interface BootPlace {
  /** The mounted top level. */
  readonly top: string;
  readonly isRunning: boolean;
  readonly target: BootTarget;
  readonly menu: BootMenu;
  /** The deployment that is running, where this is its system. */
  readonly booted: EntryIdentity | undefined;
}

/** Finds the root and its boot partition. @throws {Fault} E_NOT_FOUND, E_PRIVILEGE, E_REFUSED */
export function findPlace(context: Context): BootPlace {
  const { root, esp } = context.args;
  const { path, isRunning } = openRoot({ root });
  const target = findBootTarget({ esp, isRunning });
  const menu = new BootMenu(openBootFiles(target));
  const booted = isRunning ? bootedDeployment() : undefined;
  return { top: path, isRunning, target, menu, booted };
}

function bootedDeployment(): EntryIdentity | undefined {
  return deploymentOfCommandLine(readFileSync("/proc/cmdline", "utf8"));
}
