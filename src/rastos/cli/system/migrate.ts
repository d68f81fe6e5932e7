import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";

const MIGRATE_ARGS = {
  file: {
    type: "positional",
    required: true,
    valueHint: "FILE",
    completes: "path",
    description: "A package list of the original",
  },
} as const satisfies ArgsSpec;

/** The arguments of `rastos migrate`. */
export type MigrateArgs = typeof MIGRATE_ARGS;

/** `rastos migrate FILE`. */
export const migrateCommand = defineCommand({
  meta: {
    name: "migrate",
    description: "Print the system.toml that says the same as an old package list",
    details: `
      A package without a source meant the AUR in the original; here it is taken from the
      repositories, and a note says so.
    `,
  },
  args: MIGRATE_ARGS,
  examples: [
    {
      command: "rastos migrate packages.toml > system.toml",
      description: "Go over to the new form",
    },
  ],
  run: async (context) => (await import("./migrate-run.ts")).run(context),
});
