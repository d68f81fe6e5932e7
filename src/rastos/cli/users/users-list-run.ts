import type { CommandContext } from "../../../kit/cli/command.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import { RootFolder } from "../../../kit/fs/root-folder.ts";
import { formatTable } from "../../../kit/text/table.ts";
import { type AccountTexts, listAccounts } from "../../system/accounts.ts";
import { readAccountTexts } from "../../system/configuration.ts";
import { findTarget } from "../packages/target.ts";
import type { UsersListArgs } from "./users-list.ts";

type Context = Pick<CommandContext<UsersListArgs>, "args" | "printer">;

const COLUMNS = [
  { title: "name" },
  { title: "uid", align: "right" },
  { title: "groups" },
  { title: "home" },
  { title: "shell" },
  { title: "password" },
] as const;

/** Lists accounts. */
export async function run({ args, printer }: Context): Promise<void> {
  const { place } = findTarget(args);
  const accounts = listAccounts(accountTextsOf(place));
  const shown = accounts.filter(
    ({ uid }) => args.all || uid === 0 || (uid >= 1000 && uid < 65_534),
  );
  if (printer.jsonMode) {
    for (const account of shown) printer.json({ schema: "rastos.user/1", ...account });
    return;
  }
  const rows = shown.map(({ name, uid, groups, home, shell, password }) =>
    [name, String(uid), groups.join(","), home, shell, password].map(escapeControls),
  );
  for (const line of formatTable(COLUMNS, rows)) printer.out(line);
}

/** The files of accounts of a root; a snapshot's etc lies apart. */
export function accountTextsOf(place: {
  readonly root: string;
  readonly etc?: string | undefined;
}): AccountTexts {
  if (place.etc === undefined) {
    using root = RootFolder.open(place.root);
    return readAccountTexts(root);
  }
  using etc = RootFolder.open(place.etc);
  return readAccountTexts(etc, ".");
}
