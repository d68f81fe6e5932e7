import type { CommandSpec } from "../../src/kit/cli/command.ts";
import { runCommand } from "../../src/kit/cli/run.ts";
import type { PrinterOptions } from "../../src/kit/out/printer.ts";
import { Printer } from "../../src/kit/out/printer.ts";

/** What a command printed, and how it ended. */
export interface Captured {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, without terminal and without colour. */
export async function capture(
  load: CommandSpec | (() => Promise<CommandSpec> | CommandSpec),
  argv: readonly string[],
  options: { readonly name?: string; readonly terminal?: boolean } = {},
): Promise<Captured> {
  const sink = new Sink();
  const code = await runCommand({
    load: typeof load === "function" ? load : () => load,
    name: options.name ?? "tool",
    argv,
    environment: {},
    output: { write: sink.write, isTerminal: () => options.terminal ?? false },
  });
  return { code, out: sink.text(1), err: sink.text(2) };
}

/** Keeps what is written to fd 1 and 2. */
export class Sink {
  readonly #texts: Record<1 | 2, string> = { 1: "", 2: "" };

  readonly write = (fd: 1 | 2, bytes: Uint8Array): void => {
    this.#texts[fd] += new TextDecoder().decode(bytes);
  };

  text(fd: 1 | 2): string {
    return this.#texts[fd];
  }

  printer(options: PrinterOptions = {}): Printer {
    return new Printer({ write: this.write, isTerminal: () => false, ...options });
  }
}
