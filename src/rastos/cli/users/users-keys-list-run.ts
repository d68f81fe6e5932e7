import type { CommandContext } from "../../../kit/cli/command.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import { RootFolder } from "../../../kit/fs/root-folder.ts";
import { listAccounts } from "../../system/accounts.ts";
import { sharedFolders } from "../../system/shared-folders.ts";
import { noSuchUser, readKeys } from "../../system/users.ts";
import { findTarget } from "../packages/target.ts";
import type { KeysListArgs } from "./users-keys.ts";
import { accountTextsOf } from "./users-list-run.ts";

type Context = Pick<CommandContext<KeysListArgs>, "args" | "printer">;

/** Lists the keys that may log in as a user. @throws {Fault} E_NOT_FOUND */
export async function run({ args, printer }: Context): Promise<void> {
  const target = findTarget(args);
  const accounts = listAccounts(accountTextsOf(target.place));
  const account = accounts.find(({ name }) => name === args.name);
  if (account === undefined) throw noSuchUser(args.name, accounts);
  using root = RootFolder.open(target.place.root);
  const shared = target.kind === "folder" ? new Map() : sharedFolders(target.top);
  const keys = readKeys(root, shared, account.home);
  for (const key of keys) {
    if (printer.jsonMode) printer.json({ schema: "rastos.key/1", user: account.name, key });
    else printer.out(escapeControls(key));
  }
  if (keys.length === 0) printer.note(`No key may log in as ${account.name}`);
}
