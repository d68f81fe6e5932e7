import { describe, expect, test } from "bun:test";
import { BootMenu } from "../../../src/rastos/boot/menu.ts";
import { writeReason } from "../../../src/rastos/boot/reason.ts";
import { openBootFiles } from "../../../src/rastos/boot/target.ts";
import { identityNamed, judgeBoot, passVerdict } from "../../../src/rastos/deploy/bless.ts";
import { standingOf } from "../../../src/rastos/deploy/standing.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const identity = { snapshot: 3, deployment: 12 };

function menuWith(work: Workspace, triesLeft: number | undefined, triesDone = 0): BootMenu {
  const menu = new BootMenu(openBootFiles({ kind: "folder", path: work.folder("esp") }));
  const path = "/EFI/rastos/3-12/vmlinuz";
  menu.files.write(path.slice(1), "kernel");
  const common = { version: "1", kernel: path, initrd: "", options: "" };
  menu.put({ name: "rastos-3-12", title: "x", ...common, triesLeft, triesDone });
  return menu;
}

describe("a boot", () => {
  test("that is well is good, on its last try too", () => {
    for (const [left, done] of [
      [2, 1],
      [0, 3],
      [undefined, 0],
    ] as const) {
      using work = createWorkspace();
      expect(judgeBoot(menuWith(work, left, done), identity, undefined)).toEqual({ kind: "good" });
    }
  });

  test("that is not well is bad, unless it was good before", () => {
    using work = createWorkspace();
    expect(judgeBoot(menuWith(work, 2), identity, "no web")).toEqual({
      kind: "bad",
      reason: "no web",
    });
    using other = createWorkspace();
    expect(judgeBoot(menuWith(other, undefined), identity, "no web").kind).toBe("still-good");
  });

  test("of what a person has given up stays bad, however well it is", () => {
    using work = createWorkspace();
    const menu = menuWith(work, 0, 1);
    writeReason(menu.files, identity, "ugly");
    expect(judgeBoot(menu, identity, undefined)).toEqual({ kind: "still-bad", reason: "ugly" });
  });
});

test("a verdict is written down, and can be taken back", () => {
  using work = createWorkspace();
  const menu = menuWith(work, 2);
  const standing = () => standingOf(menu.entry("rastos-3-12"), menu.files);
  passVerdict({ menu, identity, reason: "two\nlines" });
  expect(standing()).toEqual({ state: "bad", reason: "two lines" });
  passVerdict({ menu, identity, reason: undefined });
  expect(standing()).toEqual({ state: "good", reason: undefined });
  expect(menu.files.list("EFI/rastos/3-12").map(({ name }) => name)).toEqual(["vmlinuz"]);
});

test("a deployment has three names", () => {
  using work = createWorkspace();
  const menu = menuWith(work, undefined);
  for (const name of ["12", "3-12", "rastos-3-12"]) {
    expect(identityNamed(menu, name)).toEqual(identity);
  }
  expect(() => identityNamed(menu, "2")).toThrow('Cannot find the deployment "2"');
});
