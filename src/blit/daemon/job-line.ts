import { sanitise } from "../../kit/fault/redact.ts";
import { formatBytes, formatCount, formatSeconds } from "../../kit/text/format.ts";
import { displayPath } from "../engine/path.ts";
import { counter } from "../engine/shared-state.ts";
import type { Job } from "./jobs.ts";

/** What the log says when a job begins. */
export function startLine(job: Job): string {
  return `${job.id}: ${job.kind} of ${job.peer}${namesOf(job)}, ${placeOf(job)}`;
}

/** What the log says when it has ended. */
export function endLine(job: Job, nowMs: number, failure: unknown): string {
  const { counts } = job.progress();
  const items = formatCount(counts[counter.itemsDone] ?? 0, "entry", "entries");
  const bytes = formatBytes(counts[counter.bytesDone] ?? 0);
  const seconds = formatSeconds(Math.max(0, nowMs - job.startedMs) / 1000);
  const why = failure instanceof Error && job.state === "failed" ? `: ${failure.message}` : "";
  return sanitise(`${job.id}: ${job.state}, ${items}, ${bytes} in ${seconds}${why}`);
}

function namesOf({ identities }: Job): string {
  return identities.length === 0 ? "" : ` (${identities.join(", ")})`;
}

function placeOf({ module, path }: Job): string {
  return sanitise(displayPath(`/${Buffer.from(module).toString("latin1")}/${path}`));
}
