import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { Printer } from "../../kit/out/printer.ts";
import { formatBytes, formatCount } from "../../kit/text/format.ts";
import type { AdminSource } from "../admin/source.ts";
import { shownName } from "./entry-rows.ts";
import { Troubles } from "./issue-lines.ts";
import { Places } from "./places.ts";
import type { RmArgs } from "./utils-rm.ts";

type Context = Pick<CommandContext<RmArgs>, "args" | "printer" | "rawPositionals">;

/** Paths that one source removes together. */
type Job = { readonly source: AdminSource; readonly paths: string[]; readonly typed: string[] };
type Counted = { readonly entries: number; readonly bytes: number };

/** Of one call; a daemon takes no more. */
const pathsPerCall = 128;

/**
 * Runs `blit utils rm`: counts everything, asks once, removes.
 *
 * @throws {Fault} before anything is removed: E_CONFIRM, E_REFUSED, E_NOT_FOUND, …
 */
export async function run(context: Context): Promise<number> {
  const { printer, args } = context;
  using places = new Places({ flags: args, printer });
  const jobs = await jobsOf(places, context.rawPositionals());
  const troubles = new Troubles(printer);
  const counts: Counted[] = [];
  // What is in the way of counting shows when it is in the way of removing.
  const told = args["dry-run"] ? troubles : undefined;
  for (const job of jobs) counts.push(await count(job, args.recursive, told));
  const due = sum(counts);
  if (args["dry-run"]) {
    report(printer, due, { isDryRun: true, failed: troubles.count });
    return troubles.exitCode;
  }
  await confirm(context, due, jobs);
  const removed: Counted[] = [];
  for (const [index, job] of jobs.entries()) {
    try {
      removed.push(await remove(job, args.recursive, counts[index], troubles));
      troubles.done();
    } catch (error) {
      // The first one may still refuse everything; after it some of it is gone.
      if (index === 0) throw error;
      troubles.fail(error);
    }
  }
  report(printer, sum(removed), { isDryRun: false, failed: troubles.count });
  return troubles.count === 0 ? 0 : 4;
}

async function jobsOf(places: Places, given: readonly string[]): Promise<Job[]> {
  const jobs: Job[] = [];
  for (const argument of given) {
    const { source, path, typed } = await places.open(argument);
    const last = jobs.find((job) => job.source === source && job.paths.length < pathsPerCall);
    if (last === undefined) jobs.push({ source, paths: [path], typed: [typed] });
    else {
      last.paths.push(path);
      last.typed.push(typed);
    }
  }
  return jobs;
}

async function count(
  job: Job,
  isRecursive: boolean,
  troubles: Troubles | undefined,
): Promise<Counted> {
  return await purge(job, { isRecursive, isDryRun: true, agreedEntries: undefined }, troubles);
}

async function remove(
  job: Job,
  isRecursive: boolean,
  agreed: Counted | undefined,
  troubles: Troubles,
): Promise<Counted> {
  const agreedEntries = agreed?.entries ?? 0;
  return await purge(job, { isRecursive, isDryRun: false, agreedEntries }, troubles);
}

async function purge(
  job: Job,
  how: { isRecursive: boolean; isDryRun: boolean; agreedEntries: number | undefined },
  troubles: Troubles | undefined,
): Promise<Counted> {
  let last: Counted = { entries: 0, bytes: 0 };
  const query = { paths: job.paths, ...how };
  for await (const chunk of job.source.run({ call: "purge", query })) {
    last = { entries: chunk.entries, bytes: chunk.bytes };
    troubles?.tell(chunk.issues);
  }
  return last;
}

function sum(counts: readonly Counted[]): Counted {
  return {
    entries: counts.reduce((total, { entries }) => total + entries, 0),
    bytes: counts.reduce((total, { bytes }) => total + bytes, 0),
  };
}

/** @throws {Fault} E_CONFIRM unless the user agrees */
async function confirm(context: Context, due: Counted, jobs: readonly Job[]): Promise<void> {
  const { printer, args } = context;
  if (args.yes) return;
  const { askOnTerminal } = await import("../../kit/cli/ask.ts");
  const figures = `${formatCount(due.entries, "entry", "entries")} (${formatBytes(due.bytes)})`;
  const typed = jobs.flatMap((job) => job.typed);
  const shown = typed.slice(0, 3).map((path) => `"${shownName(path)}"`);
  const others = typed.length > 3 ? ` and ${typed.length - 3} more` : "";
  const answer = await askOnTerminal(printer, `Remove ${figures}: ${shown.join(", ")}${others}?`);
  if (answer === "yes") return;
  throw new Fault(
    answer === "no"
      ? { code: "E_CONFIRM", message: "Cancelled: nothing was removed" }
      : {
          code: "E_CONFIRM",
          message: `Cannot remove ${figures} without being told to: there is no terminal to ask on`,
          hint: "--dry-run counts, --yes removes",
        },
  );
}

function report(
  printer: Printer,
  counted: Counted,
  how: { readonly isDryRun: boolean; readonly failed: number },
): void {
  const { entries, bytes } = counted;
  if (printer.jsonMode) {
    const { isDryRun, failed } = how;
    printer.json({ schema: "blit.rm/1", dryRun: isDryRun, entries, bytes, failed });
    return;
  }
  const figures = `${formatCount(entries, "entry", "entries")}, ${formatBytes(bytes)}`;
  if (how.isDryRun) printer.out(`Would remove ${figures}`);
  else printer.note(`Removed ${figures}`);
}
