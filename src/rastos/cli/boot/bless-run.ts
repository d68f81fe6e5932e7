import { existsSync } from "node:fs";
import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { entryName } from "../../boot/entry.ts";
import type { EntryIdentity } from "../../boot/types.ts";
import { type BootVerdict, giveVerdict, identityNamed, judgeBoot } from "../../deploy/bless.ts";
import { checkHealth, healthReason, readHealthSettings } from "../../deploy/health.ts";
import { askRinit } from "../../service/control-client.ts";
import { CONTROL_SOCKET } from "../../service/control-messages.ts";
import { reportDryRun } from "../snapshot/report.ts";
import type { BlessArgs } from "./bless.ts";
import { type BootPlace, findPlace } from "./place.ts";

type Context = Pick<CommandContext<BlessArgs>, "args" | "printer" | "commandPath">;

/** Blesses a deployment, or marks it as bad. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const place = findPlace(context);
  const { menu } = place;
  const identity = chosen(context, place);
  const entry = entryName(identity);
  const verdict = await judge(context, place, identity);
  const isGood = verdict.kind === "good";
  if (args["dry-run"]) {
    const text = isGood ? `Would bless ${entry}` : `${entry} ${sentence(verdict)}`;
    reportDryRun(printer, text, { entry, ...verdict });
    return isGood ? 0 : 1;
  }
  const isDecided = verdict.kind === "good" || verdict.kind === "bad";
  if (isDecided) {
    const reason = verdict.kind === "bad" ? verdict.reason : undefined;
    await giveVerdict(place.top, { menu, identity, reason }, context.commandPath);
  }
  const next = menu.next()?.name;
  if (printer.jsonMode) printer.json({ schema: "rastos.bless/1", entry, ...verdict, next });
  else if (isGood) printer.note(`${entry} is good`);
  else printer.warn(`${entry} ${sentence(verdict)}`, nextHint(next));
  // With nothing else to go to, restarting would go on for ever.
  const hasOther = next !== undefined && next !== entry;
  if (verdict.kind === "bad" && args.reboot && place.isRunning && hasOther) await restart();
  return isGood ? 0 : 1;
}

async function judge(
  { args }: Context,
  { menu }: BootPlace,
  identity: EntryIdentity,
): Promise<BootVerdict> {
  if (args.bad !== undefined) return { kind: "bad", reason: args.bad };
  const problem = await findReason(args.health);
  // Who names it wants to hear of nothing else.
  if (args.deployment !== undefined) {
    return problem === undefined ? { kind: "good" } : { kind: "bad", reason: problem };
  }
  return judgeBoot(menu, identity, problem);
}

function sentence(verdict: BootVerdict): string {
  switch (verdict.kind) {
    case "good":
      return "is good";
    case "bad":
      return `is bad: ${verdict.reason}`;
    case "still-good":
      return `is not well, and stays because it was good before: ${verdict.problem}`;
    case "still-bad":
      return `is well, and stays bad because of what was said: ${verdict.reason}`;
  }
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
async function restart(): Promise<void> {
  if (existsSync(CONTROL_SOCKET)) {
    await askRinit(CONTROL_SOCKET, { verb: "shutdown", how: "reboot" });
    return;
  }
  Bun.spawnSync(["/bin/sh", "-c", "systemctl reboot || reboot"], { stdout: "ignore" });
}
