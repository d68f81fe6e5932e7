import { chmodSync, copyFileSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binaryPath, type RunOptions, type RunResult, runCommand } from "./binary.ts";
import { firstReason, needsProgram, needsRoot } from "./skip.ts";
import { removeTree } from "./workspace.ts";

/** Why nothing can be run as an unprivileged user here: root alone can become somebody else. */
export const nobody = { reason: firstReason(needsRoot(), needsProgram("setpriv")), id: 65_534 };

let copied: string | undefined;

/**
 * Runs the compiled `blit`, or the executable itself, as nobody, with none of root's rights. The
 * executable is copied first to where that user can read it.
 */
export async function runAsNobody(
  args: readonly string[],
  options: RunOptions = {},
  tool: "blit" | "triad" = "blit",
): Promise<RunResult> {
  copied ??= copyForNobody(await binaryPath("triad"));
  const user = `--reuid=${nobody.id}`;
  const group = `--regid=${nobody.id}`;
  const drop = ["setpriv", user, group, "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"];
  const env = { HOME: "/nonexistent", ...options.env };
  return await runCommand([...drop, join(copied, tool), ...args], { ...options, env, cwd: "/" });
}

/** One copy for each run of the tests; those of runs that are over are swept. */
function copyForNobody(binary: string): string {
  const prefix = "triad-nobody-";
  for (const name of new Bun.Glob(`${prefix}*`).scanSync({ cwd: tmpdir(), onlyFiles: false })) {
    if (!existsSync(`/proc/${name.slice(prefix.length)}`)) removeTree(join(tmpdir(), name));
  }
  const folder = join(tmpdir(), `${prefix}${process.pid}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  copyFileSync(binary, join(folder, "triad"));
  chmodSync(join(folder, "triad"), 0o755);
  if (!existsSync(join(folder, "blit"))) symlinkSync("triad", join(folder, "blit"));
  return folder;
}
