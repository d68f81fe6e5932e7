import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { USER_ARG, USERS_ARGS, USERS_CHANGE_ARGS } from "./users-args.ts";

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

const LIST_ARGS = { ...USER_ARG, ...USERS_ARGS } as const satisfies ArgsSpec;

/** The arguments of `rastos users keys list`. */
export type KeysListArgs = typeof LIST_ARGS;

const listCommand = defineCommand({
  meta: {
    name: "list",
    description: "List the keys that may log in",
    synonyms: ["ls", "show"],
    details: 'With --json each key is one line with the schema "rastos.key/1": user and key.',
  },
  args: LIST_ARGS,
  examples: [{ command: "rastos users keys list ada", description: "Those of ada" }],
  run: async (context) => (await import("./users-keys-list-run.ts")).run(context),
});

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
  meta: {
    name: "keys",
    description: "List, add and remove the ssh keys that may log in as a user",
  },
  subCommands: { list: () => listCommand, add: () => addCommand, remove: () => removeCommand },
  examples: [
    { command: "rastos users keys add ada ~/.ssh/id_ed25519.pub", description: "One more key" },
  ],
});
