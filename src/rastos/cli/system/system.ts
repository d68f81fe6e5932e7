import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ROOT_ARGS } from "../root-args.ts";

const INFO_ARGS = { ...ROOT_ARGS } as const satisfies ArgsSpec;

/** The arguments of `rastos system info`. */
export type SystemInfoArgs = typeof INFO_ARGS;

const infoCommand = defineCommand({
  meta: {
    name: "info",
    description: "Show the machine, what is booted, room, and versions",
    details: `
      With --json the one line has the schema "rastos.system/1": machine, tree (null where there is
      none, or it may not be read), space and versions.
    `,
  },
  args: INFO_ARGS,
  examples: [{ command: "rastos system info --json", description: "For programs" }],
  run: async (context) => (await import("./info-run.ts")).run(context),
});

/** `rastos system`. */
export const systemCommand = defineCommand({
  meta: { name: "system", description: "Show what this system is" },
  subCommands: { info: () => infoCommand },
  examples: [{ command: "rastos system info", description: "Machine, what is booted, versions" }],
});
