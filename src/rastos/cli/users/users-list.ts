import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { USERS_ARGS } from "./users-args.ts";

const LIST_ARGS = {
  all: { type: "boolean", description: "Those of the system too, below uid 1000" },
  ...USERS_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos users list`. */
export type UsersListArgs = typeof LIST_ARGS;

/** `rastos users list`. */
export const usersListCommand = defineCommand({
  meta: {
    name: "list",
    description: "List accounts",
    synonyms: ["ls"],
    details: `
      With --json each account is one line with the schema "rastos.user/1": name, uid, gid, comment,
      home, shell, groups and password ("set", "none", "locked" or "empty").
    `,
  },
  args: LIST_ARGS,
  examples: [{ command: "rastos users list --all", description: "Every account" }],
  run: async (context) => (await import("./users-list-run.ts")).run(context),
});
