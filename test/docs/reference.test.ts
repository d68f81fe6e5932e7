import { expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { compareDocs } from "../../scripts/docs.ts";

const ROOT = resolve(import.meta.dir, "../..");

test('docs/reference is what "bun run docs" writes', async () => {
  const { stale, orphans } = await compareDocs(ROOT);
  expect([...stale.map(({ path }) => path), ...orphans]).toEqual([]);
});

test("a change and a left-over are noticed", async () => {
  const root = mkdtempSync(join(tmpdir(), "docs-"));
  try {
    mkdirSync(join(root, "docs"));
    cpSync(join(ROOT, "docs/reference"), join(root, "docs/reference"), { recursive: true });
    writeFileSync(join(root, "docs/reference/exit-codes.md"), "old");
    writeFileSync(join(root, "docs/reference/commands/gone.md"), "old");
    const { stale, orphans } = await compareDocs(root);
    expect(stale.map(({ path }) => path)).toEqual([join(root, "docs/reference/exit-codes.md")]);
    expect(orphans).toEqual([join(root, "docs/reference/commands/gone.md")]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
