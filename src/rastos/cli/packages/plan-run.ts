import type { CommandContext } from "../../../kit/cli/command.ts";
import { changePackages } from "./change.ts";
import type { PlanArgs } from "./plan.ts";

type Context = Pick<CommandContext<PlanArgs>, "args" | "printer" | "commandPath">;

/** Shows what would change. */
export async function run({ args, printer, commandPath }: Context): Promise<number> {
  return await changePackages({
    args: { ...args, "dry-run": true, yes: false },
    printer,
    commandPath,
    request: {
      install: args.name,
      files: args.file,
      remove: args.remove,
      upgrade: args.upgrade,
      recursive: args.recursive,
      removeConflicting: args.replace,
    },
    description: "plan",
    fetches: args.refresh ? "always" : "if-missing",
  });
}
