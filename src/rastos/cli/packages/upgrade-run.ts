import type { CommandContext } from "../../../kit/cli/command.ts";
import { changePackages } from "./change.ts";
import type { UpgradeArgs } from "./upgrade.ts";

type Context = Pick<CommandContext<UpgradeArgs>, "args" | "printer" | "commandPath">;

/** Brings everything up to date. */
export async function run({ args, printer, commandPath }: Context): Promise<number> {
  const more = args.name.length === 0 ? "" : `, install ${args.name.join(", ")}`;
  return await changePackages({
    args,
    printer,
    commandPath,
    request: { upgrade: true, install: args.name, removeConflicting: args.replace },
    description: `upgrade${more}`,
    fetches: "always",
  });
}
