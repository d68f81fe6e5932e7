/** How blast changes the shell that called it: code for it, on a way of its own. */
import { closeSync, openSync, writeSync } from "node:fs";
import type { Environment } from "../../kit/config/paths.ts";
import { quoteFor } from "./init.ts";
import { isShellName, type ShellName } from "./shells.ts";

/** The shell that waits for code. */
export interface ShellChannel {
  readonly shell: ShellName;
  /** How many environments are active in it, one within the other. */
  readonly depth: number;
  /** Hands the code over; once. */
  send(code: string): void;
}

/** What the shell is to activate. */
export interface Activation {
  readonly venv: string;
  readonly name: string;
  /** The project's folder. */
  readonly folder: string;
  /** Exported, and given back on leaving. */
  readonly variables: readonly (readonly [name: string, value: string])[];
}

const VARIABLES = ["BLAST_SHELL", "BLAST_SHELL_FD", "BLAST_SHELL_FILE", "BLAST_SHELL_DEPTH"];

/**
 * The shell whose function called blast; undefined when blast was called by itself. Takes the
 * variables out of the environment: no child of ours may speak to the shell.
 */
export function openShellChannel(
  environment: Record<string, string | undefined>,
): ShellChannel | undefined {
  const { BLAST_SHELL: shell, BLAST_SHELL_FD: fd, BLAST_SHELL_FILE: file } = environment;
  const depth = Number(environment["BLAST_SHELL_DEPTH"] ?? 0);
  for (const name of VARIABLES) delete environment[name];
  if (!isShellName(shell)) return undefined;
  const target = openTarget(fd, file);
  if (target === undefined) return undefined;
  return {
    shell,
    depth: Number.isSafeInteger(depth) && depth > 0 ? depth : 0,
    send(code) {
      const bytes = Buffer.from(code);
      let done = 0;
      while (done < bytes.length) done += writeSync(target, bytes, done);
      closeSync(target);
    },
  };
}

/** Opened anew, so that it ends with this process: a child that lives on would hold the shell. */
function openTarget(fd: string | undefined, file: string | undefined): number | undefined {
  try {
    if (file !== undefined && file !== "") return openSync(file, "r+");
    if (fd === undefined || !/^[3-9]$/.test(fd)) return undefined;
    const target = openSync(`/dev/fd/${fd}`, "w");
    closeSync(Number(fd));
    return target;
  } catch {
    return undefined;
  }
}

/** The call that activates an environment. */
export function enterCode(shell: ShellName, activation: Activation): string {
  const { venv, name, folder, variables } = activation;
  const words = ["start", venv, name, folder, ...variables.flat()];
  return `__blast_enter ${words.map(quoteFor(shell)).join(" ")}\n`;
}

/** The call that goes back to what was active before, or to where nothing was. */
export function leaveCode(all: boolean): string {
  return all ? "__blast_leave_all\n" : "__blast_leave\n";
}

/** Whether an environment is active that this shell, or one above it, knows of. */
export function isActive(environment: Environment): boolean {
  return (environment["VIRTUAL_ENV"] ?? "") !== "";
}
