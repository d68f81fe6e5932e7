import { formatSeconds } from "../../../kit/text/format.ts";
import { openPackageManager } from "../../package/open.ts";
import type { PackageRoot } from "../../package/root-options.ts";
import type { PackageManager, TransactionPlan } from "../../package/types.ts";
import { confirm } from "../snapshot/confirm.ts";
import { optionsFor, type PackageChangeCommand, requestFor } from "./change-command.ts";
import { type Interruption, listenForInterruption } from "./interruption.ts";
import { requireAdditive, runLive } from "./live.ts";
import { eventLine } from "./progress-line.ts";
import { printNotes, printPlan, summaryOf, transactionJson } from "./report.ts";
import { changeTarget, findTarget, type PackageTarget } from "./target.ts";

/** Changes packages as a command line asks for; returns the exit code. @throws {Fault} */
export async function changePackages(command: PackageChangeCommand): Promise<number> {
  const target = findTarget(command.args);
  using interruption = listenForInterruption();
  return command.args["dry-run"]
    ? await planOnly(command, target, interruption)
    : await changeNow(command, target, interruption);
}

async function planOnly(
  command: PackageChangeCommand,
  target: PackageTarget,
  { signal }: Interruption,
): Promise<number> {
  const { printer } = command;
  const options = optionsFor(command, target.place);
  using manager = openPackageManager(options, { signal });
  const refresh = await mustFetch(command, manager);
  const plan = await manager.plan(requestFor(command, options), { refresh });
  if (printer.jsonMode) printer.json(transactionJson({ plan, isDryRun: true }));
  else printPlan(printer, plan);
  if (plan.changes.length === 0) printer.note("Nothing to do");
  return 0;
}

async function changeNow(
  command: PackageChangeCommand,
  target: PackageTarget,
  interruption: Interruption,
): Promise<number> {
  const { printer, description } = command;
  const startedMs = performance.now();
  if (command.isLive === true) await requireAdditive(command, target, interruption.signal);
  const done = await changeTarget({
    target,
    command: command.commandPath,
    printer,
    work: async (place, reserve) => {
      const plan = await transact(command, { place, kind: target.kind, reserve }, interruption);
      return plan === undefined ? undefined : { value: plan, description };
    },
  });
  if (done === undefined) {
    if (printer.jsonMode) {
      printer.json(transactionJson({ plan: { changes: [], notes: [] }, isDryRun: false }));
    }
    printer.note("Nothing to do");
    return 0;
  }
  const isLive = command.isLive === true;
  if (isLive) await runLive(command, target, interruption.signal);
  const { value: plan, made } = done;
  if (printer.jsonMode) {
    printer.json(transactionJson({ plan, isDryRun: false, snapshot: made?.id, isLive }));
  } else printNotes(printer, plan.notes);
  const seconds = formatSeconds((performance.now() - startedMs) / 1000);
  const where = made === undefined ? "" : ` in snapshot ${made.id}`;
  printer.note(`${summaryOf(plan.changes)}${where}${isLive ? " and live" : ""} in ${seconds}`);
  if (made !== undefined && !isLive) printer.note(`rastos deploy ${made.id} boots it`);
  return 0;
}

interface Workplace {
  readonly place: PackageRoot;
  readonly kind: PackageTarget["kind"];
  readonly reserve: (bytes: number) => void;
}

/** Undefined where nothing was to be done. */
async function transact(
  command: PackageChangeCommand,
  { place, kind, reserve }: Workplace,
  { signal }: Interruption,
): Promise<TransactionPlan | undefined> {
  const { printer, args } = command;
  const options = optionsFor(command, place);
  const request = requestFor(command, options);
  using manager = openPackageManager(options, { signal });
  const line = eventLine(printer);
  if (await mustFetch(command, manager)) await manager.sync(line.show);
  const plan = await manager.plan(request);
  if (plan.changes.length === 0) {
    line.clear();
    printNotes(printer, plan.notes);
    return undefined;
  }
  if (!printer.jsonMode) printPlan(printer, { ...plan, notes: [] });
  if (kind === "folder" && takesAway(plan)) {
    await confirm({ printer, yes: args.yes, action: `Change "${place.root}" so` });
  }
  reserve(bytesNeeded(plan));
  try {
    return await manager.run(request, line.show);
  } finally {
    line.clear();
  }
}

/** What is fetched and unpacked: old files stay in the snapshot that they came from. */
function bytesNeeded({ changes }: TransactionPlan): number {
  const added = changes.filter(({ kind }) => kind !== "remove");
  return added.reduce((sum, change) => sum + change.downloadBytes + change.installedBytes, 0);
}

function takesAway({ changes }: TransactionPlan): boolean {
  return changes.some(({ kind }) => kind === "remove" || kind === "downgrade");
}

async function mustFetch(
  { fetches, request }: PackageChangeCommand,
  manager: PackageManager,
): Promise<boolean> {
  const needsNone = (request.install?.length ?? 0) === 0 && request.upgrade !== true;
  if (fetches === "never" || needsNone) return false;
  return fetches === "always" || !(await manager.hasDatabases());
}
