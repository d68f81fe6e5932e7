import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { appletFor, documentedTools } from "../../../src/applets.ts";
import { manPages } from "../../../src/kit/cli/man.ts";
import { capture } from "../../support/capture.ts";

const triad = (...argv: string[]) => capture(appletFor("triad").load, argv, { name: "triad" });

test("it writes the pages of all tools into the folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "man-"));
  try {
    const { code, err } = await triad("man", join(folder, "man1"));
    const pages = (await documentedTools()).flatMap((model) => manPages(model, { version: "1" }));
    const target = join(folder, "man1");
    expect([code, err]).toEqual([0, `Wrote ${pages.length} manual pages into ${target}\n`]);
    expect(readdirSync(target).sort()).toEqual(pages.map(({ fileName }) => fileName).sort());
    expect(readFileSync(join(folder, "man1/blit-copy.1"), "utf8")).toStartWith('.TH "BLIT');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a folder that cannot be made is a fault", async () => {
  const folder = mkdtempSync(join(tmpdir(), "man-"));
  try {
    writeFileSync(join(folder, "file"), "");
    const { code, err } = await triad("man", join(folder, "file/sub"));
    expect(code).toBe(1);
    expect(err).toStartWith(
      `error: Cannot write manual pages into "${join(folder, "file/sub")}": `,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
