import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { entryName } from "../../boot/entry.ts";
import type { EntryIdentity } from "../../boot/types.ts";
import { identityNamed, passVerdict, recordVerdict } from "../../deploy/bless.ts";
import { checkHealth, healthReason, readHealthSettings } from "../../deploy/health.ts";
import { reportDryRun } from "../snapshot/report.ts";
import type { BlessArgs } from "./bless.ts";
import { type BootPlace, findPlace } from "./place.ts";

type Context = Pick<CommandContext<BlessArgs>, "args" | "printer" | "commandPath">;

/** Blesses a deployment, or marks it as bad. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const place = findPlace(context);
  const { menu, top } = place;
  const identity = chosen(context, place);
  const reason = args.bad ?? (await findReason(args.health));
  const entry = entryName(identity);
  if (args["dry-run"]) {
    const text = reason === undefined ? `Would bless ${entry}` : `${entry} is bad: ${reason}`;
    reportDryRun(printer, text, { entry, isGood: reason === undefined, reason });
    return reason === undefined ? 0 : 1;
  }
  passVerdict({ menu, identity, reason });
  await recordVerdict(top, menu, context.commandPath);
  const next = menu.next()?.name;
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.bless/1", entry, isGood: reason === undefined, reason, next });
  } else if (reason === undefined) printer.note(`${entry} is good`);
  else printer.warn(`${entry} is bad: ${reason}`, nextHint(next));
  if (reason === undefined) return 0;
  if (args.reboot && place.isRunning) reboot();
  return 1;
}

function nextHint(next: string | undefined): string {
  return next === undefined ? "nothing else can be booted by itself" : `${next} boots next`;
}

async function findReason(file: string | undefined): Promise<string | undefined> {
  try {
    return healthReason(await checkHealth(await readHealthSettings(file)));
  } catch (error) {
    // Checks that cannot be read check nothing: that is no health.
    if (error instanceof Fault && error.code === "E_CONFIG") return error.message;
    throw error;
  }
}

function chosen(context: Context, { menu, booted }: BootPlace): EntryIdentity {
  const named = context.args.deployment;
  if (named !== undefined) return identityNamed(menu, named);
  if (booted !== undefined) return booted;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: "Cannot bless what is running: it is no deployment of rastOS",
    hint: "name one: rastos boot list shows them",
  });
}

/** By the init that runs, so that it can stop its services. */
function reboot(): void {
  Bun.spawnSync(["/bin/sh", "-c", "reboot || systemctl reboot"], { stdout: "ignore" });
}
