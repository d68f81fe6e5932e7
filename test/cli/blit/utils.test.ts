import { expect, test } from "bun:test";
import { existsSync, symlinkSync, writeFileSync } from "node:fs";
import { runTool } from "../../support/binary.ts";
import { startBlitd } from "../../support/blitd.ts";
import { blitOnTerminal } from "../../support/terminal.ts";
import { createWorkspace } from "../../support/workspace.ts";

/** A daemon and several processes, on a machine that does other things too. */
const TIMEOUT_MS = 60_000;

test(
  "rm asks on a terminal with counts, and only y removes",
  async () => {
    using work = createWorkspace();
    work.write("data/old/a", "12345");
    await using daemon = await startBlitd({ modules: [{ name: "m", path: work.at("data") }] });
    const place = daemon.place("m", "old");
    const question = `Remove 2 entries (5 B): "${place}"? [y/N] `;
    const argv = ["utils", "rm", "-r", place];
    for (const answer of ["n\n", "\n", "Y es\n"]) {
      const { code, text } = await blitOnTerminal(argv, {
        cwd: work.path,
        answers: [["[y/N]", answer]],
      });
      expect([code, text]).toEqual([1, expect.stringContaining(question)]);
      expect(text).toContain("Cancelled: nothing was removed");
    }
    expect(existsSync(work.at("data/old/a"))).toBe(true);
    const agreed = await blitOnTerminal(argv, { cwd: work.path, answers: [["[y/N]", "y\n"]] });
    expect([agreed.code, agreed.text]).toEqual([0, expect.stringContaining("Removed 2 entries")]);
    expect(existsSync(work.at("data/old"))).toBe(false);
  },
  TIMEOUT_MS,
);

test(
  "blit-utils works on a daemon's default export and its modules",
  async () => {
    using work = createWorkspace();
    work.write("data/a.jpg", "123");
    work.write("secret/key", "s");
    symlinkSync("../secret", work.at("data/out"));
    symlinkSync("a.jpg", work.at("data/in"));
    await using daemon = await startBlitd({
      modules: [{ name: "m", path: work.at("data"), read_only: true }],
      args: ["--root", work.at("data")],
    });
    const server = `127.0.0.1:${daemon.port}`;
    for (const place of [`${server}://`, `${server}:/m/`]) {
      const { code, stdout } = await runTool("blit-utils", ["ls", place]);
      expect([code, stdout]).toEqual([0, "a.jpg\nin\nout\n"]);
    }
    const found = await runTool("blit-utils", ["find", "--name", "*.jpg", `${server}://`]);
    expect(found.stdout).toBe(`${server}://a.jpg\n`);
    for (const argv of [
      ["ls", `${server}:/m/out/`],
      ["ls", `${server}:/m/../secret`],
      ["du", `${server}://out/key`],
      ["rm", "--yes", `${server}:/m/a.jpg`],
      ["rm", "--yes", `${server}://out/key`],
    ]) {
      const { code, stderr } = await runTool("blit-utils", argv);
      expect([argv.join(" "), code]).toEqual([argv.join(" "), 1]);
      expect(stderr).toMatch(/^error: Cannot /);
    }
    expect(existsSync(work.at("secret/key")) && existsSync(work.at("data/a.jpg"))).toBe(true);
    const scripted = await runTool("blit-utils", ["rm", "--yes", `${server}://a.jpg`]);
    expect([scripted.code, scripted.stderr]).toEqual([0, "Removed 1 entry, 3 B\n"]);
  },
  TIMEOUT_MS,
);

test(
  "what can be found by name can be given back, whatever its bytes",
  async () => {
    using work = createWorkspace();
    const name = Buffer.from("bad\xff\x1b[2J", "latin1");
    const file = Buffer.concat([Buffer.from(`${work.folder("data")}/`), name]);
    writeFileSync(file, "");
    await using daemon = await startBlitd({ modules: [{ name: "m", path: work.at("data") }] });
    const { stdout } = await runTool("blit-utils", ["find", daemon.place("m")]);
    expect(stdout).not.toContain("\x1b");
    const { stdout: json } = await runTool("blit-utils", ["find", "--json", daemon.place("m")]);
    const found = json === "" ? undefined : JSON.parse(json);
    if (found?.pathBytes === undefined) throw new Error(`no bytes in ${json}`);
    const bytes = Buffer.from(found.pathBytes, "base64");
    expect(bytes.toString("latin1")).toBe(`${daemon.place("m")}${name.toString("latin1")}`);
  },
  TIMEOUT_MS,
);
