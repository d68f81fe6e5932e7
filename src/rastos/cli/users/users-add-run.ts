import type { CommandContext } from "../../../kit/cli/command.ts";
import { keyOf, passwordHashFrom } from "../../system/users.ts";
import { changeAccounts } from "./change-accounts.ts";
import type { UsersAddArgs } from "./users-add.ts";

type Context = Pick<CommandContext<UsersAddArgs>, "args" | "printer" | "commandPath">;

/** Adds an account. */
export async function run(context: Context): Promise<void> {
  const { args } = context;
  const { name, uid, group, shell, home, comment, key } = args;
  const hash = args["password-hash"];
  const user = {
    name,
    uid,
    groups: group ?? [],
    shell,
    home,
    comment,
    ssh_keys: key === undefined || key.length === 0 ? undefined : key.map(keyOf),
    password_hash: hash === undefined ? undefined : passwordHashFrom(hash),
  };
  await changeAccounts(context, { kind: "add", user });
}
