import type { CommandSpec } from "../kit/cli/command.ts";
import { defineCommand } from "../kit/cli/command.ts";
import type { CommandModel } from "../kit/cli/model.ts";
import type { TriadPorts } from "./ports.ts";

/** `triad`: the tools as subcommands, and the commands that look after the executable itself. */
export function triadCommand(ports: TriadPorts): CommandSpec {
  return defineCommand({
    meta: {
      name: "triad",
      description: "One executable, several tools: each is called by its name or as a subcommand",
    },
    tool: true,
    subCommands: {
      ...ports.tools,
      links: async () => (await import("./cli/links.ts")).linksCommand(ports),
      completions: async () => (await import("./cli/completions.ts")).completionsCommand(ports),
      man: async () => (await import("./cli/man.ts")).manCommand(ports),
    },
    examples: [
      { command: "triad links ~/.local/bin", description: "Make the tools callable by name" },
      { command: "triad blit copy a b/", description: "Call a tool without its link" },
      { command: "source <(triad completions bash)", description: "Complete with Tab in bash" },
    ],
  });
}

/** triad and every tool that is listed, described in full. */
export async function listedTools(ports: TriadPorts): Promise<readonly CommandModel[]> {
  return (await import("./listed-tools.ts")).listedTools(ports);
}
