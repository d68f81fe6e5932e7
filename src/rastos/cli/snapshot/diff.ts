import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ROOT_ARGS } from "../root-args.ts";

const DIFF_ARGS = {
  from: {
    type: "positional",
    required: true,
    valueHint: "FROM",
    description: "Number of a snapshot, or name of the branch that it begins",
  },
  to: {
    type: "positional",
    required: false,
    valueHint: "TO",
    description: "The other one; without it FROM is compared with its parent",
  },
  packages: { type: "boolean", description: "Packages only" },
  files: { type: "boolean", description: "Files only" },
  ...ROOT_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot diff`. */
export type DiffArgs = typeof DIFF_ARGS;

/** `rastos snapshot diff FROM TO`, also `rastos diff FROM TO`. */
export const diffCommand = defineCommand({
  meta: {
    name: "diff",
    description: "Show which packages and files two snapshots do not have in common",
    synonyms: ["compare"],
    details: `
      "+" is only in the second, "-" only in the first one, "~" in both and not the same; then it
      says what differs: content, type, target (of a link), mode, owner, device, attributes. Times
      alone are no difference. Of snapshots that descend from one only what was changed since is
      looked at.

      With --json one object is printed, with schema "rastos.diff/1": from, to, packages (name,
      from, to) and files (path, kind, type, aspects; "pathBytes" in base64 where the path is no
      UTF-8).
    `,
  },
  args: DIFF_ARGS,
  examples: [
    { command: "rastos diff 3 4", description: "What has 4 that 3 has not" },
    { command: "rastos diff 4 --packages", description: "Against its parent" },
  ],
  run: async (context) => (await import("./diff-run.ts")).run(context),
});
