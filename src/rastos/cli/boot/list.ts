import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ROOT_ARGS } from "../root-args.ts";
import { ESP_ARG } from "./boot-args.ts";

const LIST_ARGS = { ...ROOT_ARGS, ...ESP_ARG } as const satisfies ArgsSpec;

/** The arguments of `rastos boot list`. */
export type ListArgs = typeof LIST_ARGS;

/** `rastos boot list`. */
export const listCommand = defineCommand({
  meta: {
    name: "list",
    description: "List what can be booted, in the order in which it is tried",
    synonyms: ["ls", "entries"],
    details: `
      ">" marks what is booted, "*" what boots next. With --json each is one line, with schema
      "rastos.boot/1".
    `,
  },
  args: LIST_ARGS,
  examples: [{ command: "rastos boot list --esp disk.img --root /mnt", description: "Elsewhere" }],
  run: async (context) => (await import("./list-run.ts")).run(context),
});
