import { resolve } from "node:path";
import { oraclePython } from "./python-tools.ts";

/** One question, as packaging-oracle.py lists them. */
export type Question = readonly [kind: string, ...arguments: unknown[]];

/** All answers of the `packaging` library, by one Python process. */
export function askPackaging(questions: readonly Question[]): unknown[] {
  const python = oraclePython();
  if (python === undefined) throw new Error("no Python with packaging");
  const done = Bun.spawnSync([python, "-I", resolve(import.meta.dir, "packaging-oracle.py")], {
    stdin: Buffer.from(questions.map((question) => `${JSON.stringify(question)}\n`).join("")),
    env: { PYTHONUTF8: "1", PYTHONDONTWRITEBYTECODE: "1" },
  });
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
  const answers = done.stdout.toString().trimEnd().split("\n");
  if (answers.length !== questions.length) throw new Error("answers are missing");
  return answers.map((line) => JSON.parse(line) as unknown);
}
