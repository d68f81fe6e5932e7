import { join } from "node:path";
import { oraclePython } from "./python-tools.ts";

const SCRIPT = join(import.meta.dir, "requirement-oracle.py");

/** What requirement-oracle.py answers to each question; one Python answers all of them. */
export function askAboutRequirements<Answer>(questions: readonly object[]): Answer[] {
  const python = oraclePython();
  if (python === undefined) throw new Error("there is no Python to ask");
  const input = questions.map((question) => JSON.stringify(question)).join("\n");
  const run = Bun.spawnSync([python, "-I", SCRIPT], { stdin: Buffer.from(input) });
  if (!run.success) throw new Error(run.stderr.toString());
  return run.stdout
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}
