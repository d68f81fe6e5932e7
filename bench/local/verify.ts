import { lstatSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import type { Job } from "./tool.ts";
import { command } from "./volume.ts";

/** Small files may take a block more on the other side; a filled hole takes thousands. */
const BLOCKS_SLACK = 1.05;

/**
 * Compares source and target by content and every attribute with rsync, which nobody here wrote,
 * and the allocated blocks of a sparse file.
 * @throws Error with the first differences
 */
export function verifyEqual(job: Job): void {
  const flags = ["-naiHAXc", "--delete", "--modify-window=-1"];
  // A single file was copied: the folder around it is not a copy.
  if (job.scenario.task === "file") flags.push("--omit-dir-times");
  const differences = command(["rsync", ...flags, `${job.source}/`, `${job.target}/`]).trim();
  if (differences !== "") {
    const first = differences.split("\n").slice(0, 5).join("\n  ");
    throw new Error(`blit's copy differs from its source (${job.scenario.id}):\n  ${first}`);
  }
  if (job.scenario.set !== "sparse") return;
  const [before, after] = [job.source, job.target].map((folder) => totals(folder).blocks);
  if (before === undefined || after === undefined || after > before * BLOCKS_SLACK) {
    throw new Error(`blit's copy takes ${after} blocks, its source ${before}`);
  }
}

/** Whether a peer did the job at all: as many files and bytes as the source has. */
export function sameTotals(job: Job): boolean {
  const [source, target] = [totals(job.source), totals(job.target)];
  return source.files === target.files && source.bytes === target.bytes;
}

function totals(folder: string): { files: number; bytes: number; blocks: number } {
  const sum = { files: 0, bytes: 0, blocks: 0 };
  for (const path of new Glob("**/*").scanSync({ cwd: folder, dot: true })) {
    const { size, blocks } = lstatSync(join(folder, path));
    sum.files++;
    sum.bytes += size;
    sum.blocks += blocks;
  }
  return sum;
}
