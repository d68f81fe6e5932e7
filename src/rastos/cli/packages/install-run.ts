import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { changePackages } from "./change.ts";
import type { InstallArgs } from "./install.ts";

type Context = Pick<CommandContext<InstallArgs>, "args" | "printer" | "commandPath">;

/** Installs packages. */
export async function run({ args, printer, commandPath }: Context): Promise<number> {
  if (args.name.length + args.file.length === 0) {
    throw new Fault({
      code: "E_USAGE",
      message: "Cannot install nothing: no package is named",
      hint: "`rastos packages search WORD` looks for some",
    });
  }
  const disk = args.name.find((name) => name.startsWith("/dev/"));
  if (disk !== undefined) {
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot install the package "${disk}": that is a disk`,
      hint: `to install a system onto it: rastos image install ${disk} SYSTEM.TOML`,
    });
  }
  const names = [...args.name, ...args.file.map((path) => path.replace(/^.*\//, ""))].join(", ");
  const without = args.remove.length === 0 ? "" : `, remove ${args.remove.join(", ")}`;
  return await changePackages({
    args,
    printer,
    commandPath,
    request: {
      install: args.name,
      files: args.file,
      remove: args.remove,
      onlyNeeded: args.needed,
      asDependencies: args["as-dependencies"],
      removeConflicting: args.replace,
    },
    description: `install ${names}${without}`,
    fetches: args.refresh ? "always" : "if-missing",
    isLive: args.live,
  });
}
