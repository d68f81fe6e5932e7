import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { USER_ARG, USERS_CHANGE_ARGS } from "./users-args.ts";

const ADD_ARGS = {
  ...USER_ARG,
  uid: {
    type: "string",
    valueHint: "N",
    number: { minimum: 1, maximum: 4_294_967_293 },
    description: "Its number; default: the first free one from 1000",
  },
  group: {
    type: "string",
    repeatable: true,
    valueHint: "GROUP",
    description: "A further group; one that does not exist is made",
  },
  shell: { type: "string", valueHint: "PATH", description: "Login shell; default: /bin/bash" },
  home: { type: "string", valueHint: "PATH", description: "Home folder; default: /home/NAME" },
  comment: { type: "string", valueHint: "TEXT", description: "Full name" },
  key: {
    type: "string",
    repeatable: true,
    valueHint: "FILE|KEY",
    completes: "path",
    description: "A public key that may log in, or a file with one",
  },
  "password-hash": {
    type: "string",
    valueHint: "FILE",
    completes: "path",
    description: "A file with the hash of the password, as `openssl passwd -6` prints it",
    details: "- is the standard input. Without it no password fits.",
  },
  ...USERS_CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos users add`. */
export type UsersAddArgs = typeof ADD_ARGS;

/** `rastos users add NAME`. */
export const usersAddCommand = defineCommand({
  meta: { name: "add", description: "Add an account with a home folder", synonyms: ["useradd"] },
  args: ADD_ARGS,
  examples: [
    {
      command: "openssl passwd -6 | rastos users add ada --group wheel --password-hash -",
      description: "With a password, which no command line sees",
    },
  ],
  run: async (context) => (await import("./users-add-run.ts")).run(context),
});
