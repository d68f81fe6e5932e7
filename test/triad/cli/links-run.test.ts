import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { CommandSpec } from "../../../src/kit/cli/command.ts";
import { linksCommand } from "../../../src/triad/cli/links.ts";
import { run } from "../../../src/triad/cli/links-run.ts";
import { capture } from "../../support/capture.ts";

let folder = "";
let executable = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "links-"));
  executable = join(folder, "lib", "triad");
  mkdirSync(join(folder, "lib"));
  writeFileSync(executable, "");
});
afterEach(() => rmSync(folder, { recursive: true }));

const dummy = (): CommandSpec => ({ meta: { name: "x", description: "x" } });
const ports = { tools: { blit: dummy, blast: dummy }, triad: dummy };

function links(...argv: string[]) {
  const spec = linksCommand(ports);
  return capture({ ...spec, run: (context) => run(context as never, ports, executable) }, argv);
}

test("it makes the folder and a link for each tool", async () => {
  const target = join(folder, "bin/deep");
  expect(await links(target)).toEqual({ code: 0, out: "", err: `Made 2 links in ${target}\n` });
  expect(readdirSync(target).sort()).toEqual(["blast", "blit"]);
  expect(readlinkSync(join(target, "blit"))).toBe(executable);
});

test("beside the executable the links are relative, so that the folder can be moved", async () => {
  await links(join(folder, "lib"));
  expect(readlinkSync(join(folder, "lib/blit"))).toBe("triad");
});

test("an older triad's links are replaced", async () => {
  symlinkSync("/old/place/triad", join(folder, "blit"));
  expect((await links(folder)).code).toBe(0);
  expect(readlinkSync(join(folder, "blit"))).toBe(executable);
});

test("something else is left alone and nothing is changed, without --force", async () => {
  writeFileSync(join(folder, "blit"), "mine");
  const refused = await links(folder);
  expect(refused).toEqual({
    code: 1,
    out: "",
    err:
      `error: Cannot make the link "${join(folder, "blit")}": something else is there\n` +
      "hint: --force replaces it\n",
  });
  expect(readdirSync(folder).sort()).toEqual(["blit", "lib"]);
  expect((await links("--force", folder)).code).toBe(0);
  expect(lstatSync(join(folder, "blit")).isSymbolicLink()).toBe(true);
});

test("a folder in the way stays, also with --force, and no scrap is left", async () => {
  mkdirSync(join(folder, "blit"));
  writeFileSync(join(folder, "blit", "file"), "");
  expect((await links("--force", folder)).code).toBe(1);
  expect(readdirSync(join(folder, "blit"))).toEqual(["file"]);
  expect(readdirSync(folder).filter((name) => name.endsWith("~"))).toEqual([]);
});

test("--json names the links", async () => {
  const { out } = await links("--json", join(folder, "lib"));
  expect(JSON.parse(out)).toEqual({
    schema: "triad.links/1",
    links: [
      { path: join(folder, "lib/blit"), target: "triad" },
      { path: join(folder, "lib/blast"), target: "triad" },
    ],
  });
});

test("the sources, uncompiled, make no links: they would point to bun", async () => {
  const { code, err } = await capture(linksCommand(ports) as CommandSpec, [folder]);
  expect(code).toBe(1);
  expect(err).toContain("this is triad's source, not the compiled executable");
});
