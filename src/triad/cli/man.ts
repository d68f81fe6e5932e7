import type { ArgsSpec, CommandSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import type { TriadPorts } from "../ports.ts";

const MAN_ARGS = {
  directory: {
    type: "positional",
    valueHint: "DIR",
    completes: "folder",
    description: "The folder that gets the pages; made if it is absent",
  },
} as const satisfies ArgsSpec;

/** The arguments of `triad man`. */
export type ManArgs = typeof MAN_ARGS;

/** `triad man DIR`. */
export function manCommand(ports: TriadPorts): CommandSpec<ManArgs> {
  return defineCommand({
    meta: {
      name: "man",
      description: "Write the manual pages of all tools into a folder",
      synonyms: ["manual", "docs"],
    },
    args: MAN_ARGS,
    examples: [
      { command: "triad man ~/.local/share/man/man1", description: "So that man finds them" },
    ],
    run: async (context) => (await import("./man-run.ts")).run(context, ports),
  });
}
