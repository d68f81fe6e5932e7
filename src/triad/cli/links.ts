import type { ArgsSpec, CommandSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import type { TriadPorts } from "../ports.ts";

const LINKS_ARGS = {
  directory: {
    type: "positional",
    valueHint: "DIR",
    completes: "folder",
    description: "The folder that gets the links; made if it is absent",
  },
  force: {
    type: "boolean",
    alias: "f",
    description: "Replace what is in the way, unless it is a folder",
  },
} as const satisfies ArgsSpec;

/** The arguments of `triad links`. */
export type LinksArgs = typeof LINKS_ARGS;

/** `triad links DIR`. */
export function linksCommand(ports: TriadPorts): CommandSpec<LinksArgs> {
  return defineCommand({
    meta: {
      name: "links",
      description: "Make a symbolic link for each tool, so that it is callable by name",
      synonyms: ["link", "ln", "install"],
      details: `
        A link that is there already and points to this executable, or to an older triad,
        is replaced. Anything else with that name is left alone and reported, unless
        --force is given.
      `,
    },
    args: LINKS_ARGS,
    examples: [
      { command: "triad links ~/.local/bin", description: "For this user" },
      { command: "sudo triad links /usr/local/bin", description: "For everybody" },
    ],
    run: async (context) => (await import("./links-run.ts")).run(context, ports),
  });
}
