import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * What a C compiler of this platform says: the value of each expression, by its label. The
 * expressions are evaluated by a program that is compiled and run, so macros, sizeof and offsetof
 * all work.
 *
 * @param includeFolders where headers lie that the compiler does not find by itself
 * @throws Error with the compiler's words
 */
export function valuesInC(
  includes: readonly string[],
  expressions: Readonly<Record<string, string>>,
  includeFolders: readonly string[] = [],
): Record<string, number> {
  const lines = Object.entries(expressions).map(
    ([label, expression]) =>
      `  printf("%s %lld\\n", ${JSON.stringify(label)}, (long long)(${expression}));`,
  );
  const source = [
    "#define _GNU_SOURCE",
    "#include <stddef.h>",
    "#include <stdio.h>",
    ...includes.map((name) => `#include <${name}>`),
    "int main(void) {",
    ...lines,
    "  return 0;",
    "}",
  ].join("\n");
  const folder = mkdtempSync(join(tmpdir(), "triad-c-"));
  try {
    writeFileSync(join(folder, "values.c"), source);
    const where = includeFolders.map((path) => `-I${path}`);
    run(["cc", ...where, "-o", join(folder, "values"), join(folder, "values.c")]);
    const printed = run([join(folder, "values")])
      .trim()
      .split("\n");
    return Object.fromEntries(
      printed.map((line) => {
        const [label = "", value = ""] = line.split(" ");
        return [label, Number(value)];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command: string[]): string {
  const result = Bun.spawnSync(command, { stdout: "pipe", stderr: "pipe" });
  if (!result.success) throw new Error(`${command[0]}: ${result.stderr.toString()}`);
  return result.stdout.toString();
}
