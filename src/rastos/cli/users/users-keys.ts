import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { USER_ARG, USERS_CHANGE_ARGS } from "./users-args.ts";

const ADD_ARGS = {
  ...USER_ARG,
  key: {
    type: "positional",
    required: true,
    repeatable: true,
    valueHint: "FILE|KEY",
    completes: "path",
    description: "A public key, or a file with one",
  },
  ...USERS_CHANGE_ARGS,
} as const satisfies ArgsSpec;

const REMOVE_ARGS = {
  ...USER_ARG,
  key: {
    type: "positional",
    required: true,
    repeatable: true,
    valueHint: "KEY",
    description: "A key as a whole, its middle, or its comment",
  },
  ...USERS_CHANGE_ARGS,
} as const satisfies ArgsSpec;

const addCommand = defineCommand({
  meta: { name: "add", description: "Let a key log in" },
  args: ADD_ARGS,
  examples: [
    { command: "rastos users keys add ada ~/.ssh/id_ed25519.pub", description: "That of a file" },
  ],
  run: async (context) => {
    const { changeAccounts } = await import("./change-accounts.ts");
    const { name, key } = context.args;
    await changeAccounts(context, { kind: "add keys", name, keys: key });
  },
});

const removeCommand = defineCommand({
  meta: { name: "remove", description: "Let a key log in no more", synonyms: ["rm"] },
  args: REMOVE_ARGS,
  examples: [{ command: "rastos users keys remove ada ada@box", description: "By its comment" }],
  run: async (context) => {
    const { changeAccounts } = await import("./change-accounts.ts");
    const { name, key } = context.args;
    await changeAccounts(context, { kind: "remove keys", name, keys: key });
  },
});

/** `rastos users keys`. */
export const usersKeysCommand = defineCommand({
  meta: { name: "keys", description: "Add and remove the ssh keys that may log in as a user" },
  subCommands: { add: () => addCommand, remove: () => removeCommand },
  examples: [
    { command: "rastos users keys add ada ~/.ssh/id_ed25519.pub", description: "One more key" },
  ],
});
