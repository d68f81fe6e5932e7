import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { askRinit } from "../../service/control-client.ts";
import type { ServiceStatus } from "../../service/control-messages.ts";
import type { CHANGE_ARGS, RELOAD_ARGS } from "./change.ts";

type Context = Pick<CommandContext<typeof CHANGE_ARGS>, "args" | "printer" | "positionals">;
type ReloadContext = Pick<CommandContext<typeof RELOAD_ARGS>, "args" | "printer" | "positionals">;

const DONE = { start: "up", stop: "down", restart: "up" } as const;

/** Starts, stops or restarts services. */
export async function run(verb: keyof typeof DONE, context: Context): Promise<number> {
  const { args, printer, positionals: names } = context;
  if (args["dry-run"]) {
    const { services = [] } = await askRinit(args.socket, { verb: "status", names });
    for (const { name, state } of services) printer.out(`would ${verb} ${name}, which is ${state}`);
    return 0;
  }
  const reply = await askRinit(args.socket, { verb, names, wait: args.wait });
  const services = reply.services ?? [];
  if (printer.jsonMode) {
    for (const one of services) printer.json({ schema: "rastos.service/1", ...one });
  }
  if (!args.wait) return 0;
  const bad = services.filter(({ state }) => !isDone(verb, state));
  for (const { name } of services) {
    if (!bad.some((one) => one.name === name)) printer.note(`${name} is ${DONE[verb]}`);
  }
  if (bad.length === 0) return 0;
  throw failure(verb, bad);
}

function isDone(verb: keyof typeof DONE, state: string): boolean {
  return verb === "stop" ? state === "down" || state === "failed" : state === "up";
}

function failure(verb: string, bad: readonly ServiceStatus[]): Fault {
  const [first] = bad;
  const names = bad.map(({ name }) => `"${name}"`).join(", ");
  const reason = first?.reason === undefined ? "" : `: ${first.reason}`;
  return new Fault({
    code: "E_REFUSED",
    message: `Cannot ${verb} ${names}${reason}`,
    hint: `rastos service logs ${first?.name ?? ""} shows what it printed`,
    details: { services: bad },
  });
}

/** Has services read their configuration again; without names, rinit its service files. */
export async function reload({ args, printer, positionals }: ReloadContext): Promise<number> {
  if (positionals.length > 0) {
    await askRinit(args.socket, { verb: "reload", names: positionals });
    return 0;
  }
  const { changed = [], system } = await askRinit(args.socket, { verb: "reread" });
  if (printer.jsonMode) printer.json({ schema: "rastos.service-reload/1", new: changed, system });
  for (const name of changed) printer.note(`${name} is new`);
  for (const problem of system?.problems ?? []) printer.warn(problem);
  return (system?.problems.length ?? 0) === 0 ? 0 : 4;
}
