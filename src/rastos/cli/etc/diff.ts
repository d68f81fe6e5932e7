import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ROOT_ARGS } from "../root-args.ts";
import { DEPLOYMENT_ARGS } from "./etc-args.ts";

const DIFF_ARGS = { ...DEPLOYMENT_ARGS, ...ROOT_ARGS } as const satisfies ArgsSpec;

/** The arguments of `rastos etc diff`. */
export type DiffArgs = typeof DIFF_ARGS;

/** `rastos etc diff`. */
export const diffCommand = defineCommand({
  meta: {
    name: "diff",
    description: "Show what was changed in /etc since the deployment was made",
    details: `
      "A" was added, "D" removed, "M" changed in content, rights, owner or attributes. All of it
      goes along with the next deployment, unless its system.toml declares otherwise. What rastos
      writes itself (its lines in fstab) and what each machine makes for itself (machine-id) is left
      out. NAME.rastos-new is what a snapshot has in the place of NAME, which was changed by hand.

      With --json each change is one line, with schema "rastos.etc/1".
    `,
  },
  args: DIFF_ARGS,
  examples: [{ command: "rastos etc diff", description: "Of the system that is running" }],
  run: async (context) => (await import("./diff-run.ts")).run(context),
});
