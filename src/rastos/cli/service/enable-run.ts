import type { CommandContext } from "../../../kit/cli/command.ts";
import { changeLinks } from "../../service/enable.ts";
import { loadServices } from "../../service/load.ts";
import type { ENABLE_ARGS } from "./enable.ts";

type Context = Pick<CommandContext<typeof ENABLE_ARGS>, "args" | "printer" | "positionals">;

/** Enables services, or disables them. */
export async function run(
  action: "enable" | "disable",
  { args, printer, positionals }: Context,
): Promise<number> {
  const root = args.root ?? "/";
  const isDry = args["dry-run"];
  const changes = changeLinks({ root, services: positionals, action, isDry });
  for (const change of changes) {
    if (printer.jsonMode) printer.json({ schema: "rastos.service-link/1", ...change });
    const { service } = change;
    if (change.action === "none") printer.note(`${service} is ${action}d already`);
    else printer.note(isDry ? `would ${action} ${service}` : `${service} is ${action}d`);
  }
  if (action === "enable") return 0;
  const { services } = await loadServices({ root });
  for (const name of positionals) {
    const wanting = [...services.values()].filter(({ wants, requires }) =>
      [...wants, ...requires].includes(name),
    );
    if (wanting.length === 0) continue;
    printer.warn(
      `${wanting.map((one) => one.name).join(", ")} still wants "${name}"`,
      `disabled = true in /etc/rinit/${name}.toml keeps it from starting at all`,
    );
  }
  return 0;
}
