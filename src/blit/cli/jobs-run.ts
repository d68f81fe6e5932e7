import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { escapeControls } from "../../kit/fault/redact.ts";
import type { Printer } from "../../kit/out/printer.ts";
import { formatBytes, formatSeconds, groupDigits } from "../../kit/text/format.ts";
import { type Column, formatTable } from "../../kit/text/table.ts";
import type { ControlClient } from "../control/client.ts";
import type { Job } from "../control/proto/blit_pb.js";
import { parseEndpoint } from "../endpoint.ts";
import { counter } from "../engine/shared-state.ts";
import { connectDaemon } from "./connect.ts";
import type { ConnectionFlags } from "./connection-args.ts";
import { jsonName, shownName } from "./entry-rows.ts";
import type { JobArgs, JobsListArgs } from "./jobs.ts";

type Context<Args extends JobArgs | JobsListArgs> = Pick<CommandContext<Args>, "args" | "printer">;

/** Runs `blit jobs list`. */
export async function list(context: Context<JobsListArgs>): Promise<number> {
  const { printer, args } = context;
  using connection = await connect(args.server, args, printer);
  const { jobs } = await connection.client.listJobs({});
  const shown = args.all ? jobs : jobs.filter(({ state }) => state === "running");
  if (printer.jsonMode) {
    for (const job of shown) printer.json(jsonOf(job));
    return 0;
  }
  if (shown.length === 0) {
    const ended = jobs.length > 0 ? `; --all shows ${jobs.length} that have ended` : "";
    printer.note(`Nothing is going on there${ended}`);
    return 0;
  }
  for (const line of formatTable(columns, shown.map(rowOf))) printer.out(line);
  return 0;
}

/** Runs `blit jobs watch`. */
export async function watch(context: Context<JobArgs>): Promise<number> {
  const { printer, args } = context;
  using connection = await connect(args.server, args, printer);
  const isLive = printer.isTerminal(2) && !printer.jsonMode;
  let last: Job | undefined;
  try {
    for await (const job of connection.client.watchJob({ id: args.job })) {
      last = job;
      if (printer.jsonMode) printer.json(jsonOf(job));
      else if (isLive) printer.transient(lineOf(job));
    }
  } finally {
    if (isLive) printer.transient("");
  }
  if (last === undefined) {
    throw new Fault({ code: "E_NETWORK", message: "The daemon has said nothing about the job" });
  }
  if (!printer.jsonMode) printer.out(lineOf(last));
  return last.state === "done" ? 0 : 1;
}

/** Runs `blit jobs cancel`. */
export async function cancel(context: Context<JobArgs>): Promise<number> {
  const { printer, args } = context;
  using connection = await connect(args.server, args, printer);
  const { wasRunning } = await connection.client.cancelJob({ id: args.job });
  if (printer.jsonMode) printer.json({ schema: "blit.cancel/1", id: args.job, wasRunning });
  else if (wasRunning) printer.note(`Told the job ${escapeControls(args.job)} to end`);
  else printer.note(`The job ${escapeControls(args.job)} had ended before`);
  return 0;
}

async function connect(
  server: string,
  flags: ConnectionFlags,
  printer: Printer,
): Promise<Disposable & { readonly client: ControlClient }> {
  const { host, port } = parseEndpoint(Buffer.from(server).toString("latin1"));
  const client = await connectDaemon({ host, port }, { flags, printer });
  return { client, [Symbol.dispose]: () => client.close() };
}

const columns: readonly Column[] = [
  { title: "Job" },
  { title: "Kind" },
  { title: "Client" },
  { title: "Place" },
  { title: "State" },
  { title: "Files", align: "right" },
  { title: "Size", align: "right" },
  { title: "For", align: "right" },
];

/** Everything in it comes from a daemon. */
function rowOf(job: Job): string[] {
  return [
    job.id,
    job.kind,
    job.peer,
    shownName(placeOf(job)),
    job.state,
    groupDigits(countOf(job, counter.itemsDone)),
    formatBytes(countOf(job, counter.bytesDone)),
    formatSeconds(secondsOf(job)),
  ].map((text) => escapeControls(text));
}

function lineOf(job: Job): string {
  const files = groupDigits(countOf(job, counter.itemsDone));
  const bytes = formatBytes(countOf(job, counter.bytesDone));
  const text = `${job.id} ${job.kind} ${job.state}: ${files} files, ${bytes}`;
  return `${escapeControls(text)}, ${formatSeconds(secondsOf(job))}`;
}

/** latin1 */
function placeOf(job: Job): string {
  const module = Buffer.from(job.module).toString("latin1");
  return `/${module}/${Buffer.from(job.path).toString("latin1")}`;
}

function countOf(job: Job, index: number): number {
  return Math.max(0, Math.round(job.progress?.counts[index] ?? 0)) || 0;
}

function secondsOf(job: Job): number {
  return Math.max(0, (Date.now() - Number(job.startedMilliseconds)) / 1000);
}

function jsonOf(job: Job): Record<string, unknown> {
  return {
    schema: "blit.job/1",
    id: job.id,
    kind: job.kind,
    peer: job.peer,
    ...jsonName("place", placeOf(job)),
    started: isoTime(Number(job.startedMilliseconds)),
    state: job.state,
    items: countOf(job, counter.itemsDone),
    bytes: countOf(job, counter.bytesDone),
  };
}

function isoTime(milliseconds: number): string | null {
  const time = new Date(milliseconds);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
