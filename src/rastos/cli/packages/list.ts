import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { LOOK_ARGS } from "./packages-args.ts";

const LIST_ARGS = {
  word: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "WORD",
    description: "Only those with these words in name or description",
  },
  explicit: { type: "boolean", description: "Only those that were asked for by name" },
  unneeded: { type: "boolean", description: "Only those that nothing needs any more" },
  ...LOOK_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos packages list`. */
export type ListArgs = typeof LIST_ARGS;

/** `rastos packages list [WORD…]`. */
export const listCommand = defineCommand({
  meta: {
    name: "list",
    description: "List the packages that are installed",
    synonyms: ["ls", "query", "-Q"],
    details: `
      With --json each package is one line, an object with schema "rastos.package/1": name, version,
      description, repository, installedBytes, dependencies, provides, groups and reason.
    `,
  },
  args: LIST_ARGS,
  examples: [
    { command: "rastos packages list", description: "All of the snapshot that boots" },
    { command: "rastos packages list --unneeded", description: "What could go" },
  ],
  run: async (context) => (await import("./list-run.ts")).run(context),
});
