import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { compareEtc, pathsChangedSince } from "../../../src/rastos/deploy/etc-diff.ts";
import { chosenChanges, resetEtc } from "../../../src/rastos/deploy/etc-reset.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("content, kind, rights and links are compared, times are not", () => {
  using work = createWorkspace();
  for (const side of ["a", "b"]) {
    work.write(`${side}/same`, "same", { mtimeSeconds: side === "a" ? 1 : 2 });
    work.write(`${side}/content`, side);
    work.write(`${side}/mode`, "x", { mode: side === "a" ? 0o644 : 0o600 });
    symlinkSync(side, work.at(side, "link"));
    work.write(`${side}/fstab`, side);
    work.folder(`${side}/sub`);
  }
  work.write("a/sub/gone", "x");
  work.write("b/sub/new", "x");
  work.write("a/kind", "x");
  work.folder("b/kind");
  expect(compareEtc(work.at("a"), work.at("b"))).toEqual([
    { kind: "changed", path: "content" },
    { kind: "changed", path: "fstab" },
    { kind: "changed", path: "kind" },
    { kind: "changed", path: "link" },
    { kind: "changed", path: "mode" },
    { kind: "removed", path: "sub/gone" },
    { kind: "added", path: "sub/new" },
  ]);
});

test("names that are no text are compared as well", () => {
  using work = createWorkspace();
  for (const side of ["a", "b"]) {
    mkdirSync(work.at(side));
    for (const [last, content] of [[0xfe, side] as const, [0xff, "same"] as const]) {
      const name = Buffer.from([0x66, last]);
      writeFileSync(Buffer.concat([Buffer.from(`${work.at(side)}/`), name]), content);
    }
  }
  expect(compareEtc(work.at("a"), work.at("b"))).toEqual([{ kind: "changed", path: "f\ufffd" }]);
});

test("a reset makes both sides equal, only where it was asked for", () => {
  using work = createWorkspace();
  work.write("a/ssh/config", "original", { mode: 0o640 });
  work.write("a/ssh/keys/host", "key", { mode: 0o600 });
  work.write("a/other", "original");
  work.write("b/ssh/config", "changed");
  work.write("b/ssh/added/deep/file", "x");
  work.write("b/other", "changed");
  chmodSync(work.at("b/ssh"), 0o700);
  const pair = { original: work.at("a"), own: work.at("b") };
  const changes = compareEtc(pair.original, pair.own);
  expect(() => chosenChanges(changes, ["/etc/hosts"])).toThrow('Cannot reset "/etc/hosts"');
  resetEtc(pair, chosenChanges(changes, ["/etc/ssh/"]));
  expect(compareEtc(pair.original, pair.own)).toEqual([{ kind: "changed", path: "other" }]);
  resetEtc(pair, compareEtc(pair.original, pair.own));
  expect(compareEtc(pair.original, pair.own)).toEqual([]);
});

test("what was changed later than a moment is told from what was there before", async () => {
  using work = createWorkspace();
  work.write("a/gone", "x");
  work.write("a/folder/gone", "x");
  work.folder("b/folder");
  work.write("b/early", "x");
  await Bun.sleep(20);
  const sinceMs = Date.now();
  await Bun.sleep(20);
  const paths = (): readonly string[] => pathsChangedSince(work.at("a"), work.at("b"), sinceMs);
  expect(paths()).toEqual([]);
  work.write("b/folder/late", "x");
  expect(paths()).toEqual(["folder/gone", "folder/late"]);
});
