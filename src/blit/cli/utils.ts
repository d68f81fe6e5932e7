import type { CommandSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";

/** The tools of this room by their names, for what describes them. */
export type OwnTools = Readonly<Record<string, () => Promise<CommandSpec> | CommandSpec>>;

/** `blit utils`, which is also called by a name of its own, `blit-utils`. */
export function utilsCommand(name: "utils" | "blit-utils", tools: OwnTools): CommandSpec {
  const own = name === "utils" ? "blit utils" : name;
  return defineCommand({
    meta: {
      name,
      description: "Look at and tidy up folders, here and on servers",
      synonyms: ["util", "admin"],
      details: `
        Every command takes paths of this machine and places on servers alike:
        "server:/module/path", or "server://path" for what the server exports by default.
      `,
    },
    tool: name === "blit-utils",
    borrowsPages: name === "blit-utils",
    subCommands: {
      scan: async () => (await import("./scan.ts")).scanCommand,
      ls: async () => (await import("./utils-ls.ts")).lsCommand,
      list: async () => (await import("./list.ts")).listCommand,
      find: async () => (await import("./utils-find.ts")).findCommand,
      du: async () => (await import("./utils-du.ts")).duCommand,
      df: async () => (await import("./utils-df.ts")).dfCommand,
      rm: async () => (await import("./utils-rm.ts")).rmCommand,
      completions: async () => (await import("./utils-completions.ts")).completionsCommand(tools),
      profile: async () => (await import("./utils-profile.ts")).profileCommand,
    },
    examples: [
      { command: `${own} du nas:/photos/`, description: "How much space a module takes" },
      { command: `${own} find --name '*.iso' nas:/files/`, description: "Where the images are" },
      { command: `${own} rm -r nas:/files/old`, description: "Remove a folder, after a question" },
    ],
  });
}
