import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { USER_ARG, USERS_CHANGE_ARGS } from "./users-args.ts";

const REMOVE_ARGS = { ...USER_ARG, ...USERS_CHANGE_ARGS } as const satisfies ArgsSpec;

/** The arguments of `rastos users remove`. */
export type UsersRemoveArgs = typeof REMOVE_ARGS;

/** `rastos users remove NAME`. */
export const usersRemoveCommand = defineCommand({
  meta: {
    name: "remove",
    description: "Remove an account; its home folder stays",
    synonyms: ["rm", "del", "userdel"],
  },
  args: REMOVE_ARGS,
  examples: [{ command: "rastos users remove ada", description: "In a new snapshot" }],
  run: async (context) => {
    const { changeAccounts } = await import("./change-accounts.ts");
    await changeAccounts(context, { kind: "remove", name: context.args.name });
  },
});
