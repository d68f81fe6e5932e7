import { expect, test } from "bun:test";
import { resolve } from "node:path";

/** Asks a process of our own whether its stdout is a terminal. */
const MODULE = JSON.stringify(resolve(import.meta.dir, "../../../src/kit/out/tty.ts"));
const QUESTION = `
  const { isTerminal } = await import(${MODULE});
  process.exit(isTerminal(1) ? 10 : 11);
`;

test("a pseudo-terminal is a terminal", async () => {
  const child = Bun.spawn([process.execPath, "-e", QUESTION], {
    terminal: { cols: 80, rows: 24, data() {} },
  });
  expect(await child.exited).toBe(10);
});

test.each(["/dev/null", "/dev/zero", "pipe", "closed"])("%s is no terminal", async (output) => {
  const target = output === "closed" ? ">&-" : output === "pipe" ? "| cat" : `>${output}`;
  const script = `set -o pipefail; "$0" -e "$1" ${target}`;
  const child = Bun.spawn(["bash", "-c", script, process.execPath, QUESTION], { stdout: "ignore" });
  expect(await child.exited).toBe(11);
});
