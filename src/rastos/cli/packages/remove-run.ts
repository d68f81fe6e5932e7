import type { CommandContext } from "../../../kit/cli/command.ts";
import { changePackages } from "./change.ts";
import type { RemoveArgs } from "./remove.ts";

type Context = Pick<CommandContext<RemoveArgs>, "args" | "printer" | "commandPath">;

/** Removes packages. */
export async function run({ args, printer, commandPath }: Context): Promise<number> {
  return await changePackages({
    args,
    printer,
    commandPath,
    request: { remove: args.name, recursive: args.recursive },
    description: `remove ${args.name.join(", ")}`,
    fetches: "never",
  });
}
