import { defineCommand } from "../../../kit/cli/command.ts";

const PROFILES_ARGS = {
  name: {
    type: "positional",
    required: false,
    valueHint: "NAME",
    description: "Print the settings of this profile",
  },
} as const;

/** The arguments of `rastos kernel profiles`. */
export type ProfilesArgs = typeof PROFILES_ARGS;

/** `rastos kernel profiles [NAME]`. */
export const profilesCommand = defineCommand({
  meta: {
    name: "profiles",
    description: "List the kernel profiles, or print one",
  },
  args: PROFILES_ARGS,
  examples: [
    { command: "rastos kernel profiles", description: "All of them" },
    { command: "rastos kernel profiles production", description: "Its settings, with reasons" },
  ],
  run: async (context) => (await import("./profiles-run.ts")).run(context),
});
