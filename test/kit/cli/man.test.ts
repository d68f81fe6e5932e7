import { expect, test } from "bun:test";

import { documentedTools } from "../../../src/applets.ts";
import { manPages } from "../../../src/kit/cli/man.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

const pages = (await documentedTools()).flatMap((model) => manPages(model, { version: "1.2.3" }));

test("there is one page for each tool and each of its commands, and none twice", () => {
  const names = pages.map(({ fileName }) => fileName);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !/^(blast|rastos)/.test(name))).toEqual([
    "triad.1",
    "triad-links.1",
    "triad-completions.1",
    "triad-man.1",
    "blit.1",
    "blit-copy.1",
    "blit-mirror.1",
    "blit-move.1",
    "blit-scan.1",
    "blit-list.1",
    "blit-jobs.1",
    "blit-jobs-list.1",
    "blit-jobs-watch.1",
    "blit-jobs-cancel.1",
    "blit-utils.1",
    "blit-utils-scan.1",
    "blit-utils-ls.1",
    "blit-utils-list.1",
    "blit-utils-find.1",
    "blit-utils-du.1",
    "blit-utils-df.1",
    "blit-utils-rm.1",
    "blit-utils-completions.1",
    "blit-utils-profile.1",
    "blit-diagnostics.1",
    "blit-diagnostics-perf.1",
    "blitd.1",
  ]);
  const nested = ["blast.1", "blast-start.1", "blast-python.1", "blast-python-install.1"];
  expect(names).toEqual(expect.arrayContaining(nested));
});

testUnless(needsProgram("groff"))(
  "groff has nothing to complain about",
  async () => {
    for (const { fileName, text } of pages) {
      const child = Bun.spawn(["groff", "-man", "-Tutf8", "-ww", "-rLL=90n"], {
        stdin: new Blob([text]),
        stderr: "pipe",
      });
      const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      expect([fileName, err]).toEqual([fileName, ""]);
      expect(out.length).toBeGreaterThan(500);
    }
  },
  60_000,
);

testUnless(needsProgram("man"))("man shows flags and text as they are meant", async () => {
  const page = pages.find(({ fileName }) => fileName === "blit-mirror.1")!;
  const child = Bun.spawn(["man", "--warnings", "-l", "-"], {
    stdin: new Blob([page.text]),
    stderr: "pipe",
    env: { ...process.env, MANPAGER: "cat", MANWIDTH: "100", LC_ALL: "C.UTF-8" },
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(err).toBe("");
  const plain = Bun.stripANSI(out);
  expect(plain).toContain("-n, --dry-run");
  expect(plain).toContain("--max-delete N");
  expect(plain).toContain("blit mirror --yes --max-delete 100 photos/ /mnt/backup/");
  expect(plain).toContain("~/.config/blit/perf_local.jsonl");
});
