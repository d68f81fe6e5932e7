import type { CommandSpec } from "../kit/cli/command.ts";
import { defineCommand } from "../kit/cli/command.ts";

/** What triad's own commands need from outside this folder; `src/applets.ts` plugs it in. */
export interface TriadPorts {
  /** The tools by name, those that are not built yet included. */
  readonly tools: Readonly<Record<string, () => Promise<CommandSpec> | CommandSpec>>;
}

/** `triad`: the tools as subcommands, and the commands that look after the executable itself. */
export function triadCommand(ports: TriadPorts): CommandSpec {
  return defineCommand({
    meta: {
      name: "triad",
      description: "One executable, several tools: each is called by its name or as a subcommand",
    },
    tool: true,
    subCommands: { ...ports.tools },
    examples: [
      { command: "triad links ~/.local/bin", description: "Make the tools callable by name" },
      { command: "triad blit copy a b/", description: "Call a tool without its link" },
    ],
  });
}
