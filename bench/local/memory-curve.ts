import { makeSmallFiles } from "../data.ts";
import type { MemoryPoint } from "./results.ts";
import type { Session } from "./row.ts";
import { command, Volume } from "./volume.ts";

const FILE_COUNTS = [10_000, 100_000, 300_000, 1_000_000];
const RUNS = 2;

/** blit's peak memory and time over more and more small files, copied fresh and mirrored again. */
export async function measureMemory(session: Session): Promise<MemoryPoint[]> {
  const points: MemoryPoint[] = [];
  for (const count of FILE_COUNTS) {
    await session.checkpoint();
    const point = measurePoint(session, Math.round(count * session.scale));
    const { files, copyMib, mirrorMib } = point;
    session.say(`  ${files} files: copy ${copyMib} MiB, mirror ${mirrorMib} MiB`);
    points.push(point);
  }
  return points;
}

function measurePoint(session: Session, files: number): MemoryPoint {
  const blit = session.tools[0];
  if (blit?.id !== "blit") throw new Error("Cannot measure memory without blit");
  using volume = new Volume(session.scratch, "ext4");
  const [source, target] = [volume.path("source"), volume.path("target")];
  const made = makeSmallFiles(source, files);
  volume.settle(false);
  const copies = [];
  for (let run = 0; run < RUNS; run++) {
    command(["rm", "-rf", target]);
    volume.settle(false);
    copies.push(session.stopwatch.once([blit.path, "copy", "--yes", `${source}/`, `${target}/`]));
  }
  const mirrors = Array.from({ length: RUNS }, () => {
    volume.settle(false);
    return session.stopwatch.once([blit.path, "mirror", "--yes", `${source}/`, `${target}/`]);
  });
  return {
    files: made.files,
    copyMib: Math.round(Math.max(...copies.map(({ peakMib }) => peakMib))),
    copySeconds: Math.min(...copies.map(({ wall }) => wall)),
    mirrorMib: Math.round(Math.max(...mirrors.map(({ peakMib }) => peakMib))),
    mirrorSeconds: Math.min(...mirrors.map(({ wall }) => wall)),
  };
}
