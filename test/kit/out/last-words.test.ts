import { expect, test } from "bun:test";
import { join } from "node:path";

const module = join(import.meta.dir, "../../../src/kit/out/last-words.ts");

async function say(...flags: string[]): Promise<{ code: number; stderr: string }> {
  const script = `
    const { lastWords } = await import(${JSON.stringify(module)});
    process.exit(lastWords(new TypeError("no such thing")));`;
  const child = Bun.spawn([process.execPath, "-e", script, "--", ...flags], { stderr: "pipe" });
  const stderr = await new Response(child.stderr).text();
  return { code: await child.exited, stderr };
}

test("lastWords() tells a bug in two lines and exits with 3", async () => {
  const { code, stderr } = await say();
  expect(code).toBe(3);
  expect(stderr.split("\n")).toEqual([
    "error: This is a bug in triad: TypeError: no such thing",
    "hint: repeat the command with --debug and report what it prints",
    "",
  ]);
});

test("lastWords() adds the stack with --debug", async () => {
  const { code, stderr } = await say("--debug");
  expect(code).toBe(3);
  expect(stderr).toContain("    at ");
});
