import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatGrubConfig } from "../../../src/rastos/boot/grub-config.ts";
import { emptyGrubEnv, parseGrubEnv } from "../../../src/rastos/boot/grub-env.ts";
import { BootMenu } from "../../../src/rastos/boot/menu.ts";
import { openBootFiles } from "../../../src/rastos/boot/target.ts";
import type { BootEntry } from "../../../src/rastos/boot/types.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

function open(work: Workspace): BootMenu {
  return new BootMenu(openBootFiles({ kind: "folder", path: work.folder("esp") }));
}

/** Puts an entry with its kernel, as a deployment does. */
function add(menu: BootMenu, id: number, triesLeft?: number): BootEntry {
  const folder = `EFI/rastos/${id}-${id}`;
  menu.files.write(`${folder}/vmlinuz`, "kernel");
  menu.files.write(`${folder}/initrd`, "ram disk");
  const entry: BootEntry = {
    name: `rastos-${id}-${id}`,
    title: `rastOS ${id}`,
    version: menu.nextVersion(),
    kernel: `/${folder}/vmlinuz`,
    initrd: `/${folder}/initrd`,
    options: "quiet",
    triesLeft,
    triesDone: 0,
  };
  menu.put(entry);
  return entry;
}

/** The next change of several steps ends after so many of them. */
function cutAfter(menu: BootMenu, count: number): void {
  const { files } = menu;
  const change = files.change.bind(files);
  files.change = (steps) => {
    change(steps.slice(0, count));
    throw new Error("cut");
  };
}

const names = (menu: BootMenu): string[] => menu.entries().map((entry) => entry.name);
const filesOf = (work: Workspace): string[] => readdirSync(work.at("esp/loader/entries")).sort();

describe("the menu", () => {
  test("has the newest entry as the next one, until it is condemned", () => {
    using work = createWorkspace();
    const menu = open(work);
    expect(menu.next()).toBeUndefined();
    add(menu, 1);
    add(menu, 2, 3);
    expect(menu.next()?.name).toBe("rastos-2-2");
    menu.condemn("rastos-2-2");
    expect(filesOf(work)).toEqual(["rastos-1-1.conf", "rastos-2-2+0-1.conf"]);
    expect(menu.next()?.name).toBe("rastos-1-1");
  });

  test("blesses by a rename", () => {
    using work = createWorkspace();
    const menu = open(work);
    add(menu, 2, 3);
    menu.bless("rastos-2-2");
    expect(filesOf(work)).toEqual(["rastos-2-2.conf"]);
    expect(menu.entry("rastos-2-2").triesLeft).toBeUndefined();
  });

  test("of two files of an entry, which a power cut can leave, the later one counts", () => {
    using work = createWorkspace();
    const menu = open(work);
    add(menu, 1);
    add(menu, 2, 3);
    const entries = work.at("esp/loader/entries");
    const text = readFileSync(join(entries, "rastos-2-2+3.conf"));
    writeFileSync(join(entries, "rastos-2-2.conf"), text);
    expect(menu.entry("rastos-2-2").triesLeft).toBeUndefined();
    expect(menu.repair()).toEqual(["loader/entries/rastos-2-2+3.conf"]);
    writeFileSync(join(entries, "rastos-1-1+2.conf"), "");
    expect(menu.entry("rastos-1-1").triesLeft).toBeUndefined();
  });

  test("does not clear away what is blessed just now", () => {
    using work = createWorkspace();
    const menu = open(work);
    add(menu, 1, 3);
    const { files } = menu;
    const list = files.list.bind(files);
    let looks = 0;
    files.list = (folder) => {
      if (folder === "loader/entries" && ++looks === 2) open(work).bless("rastos-1-1");
      return list(folder);
    };
    expect(menu.repair()).toEqual([]);
    expect(filesOf(work)).toEqual(["rastos-1-1.conf"]);
  });

  test("puts an older one first, and falls back from the next one to it", () => {
    using work = createWorkspace();
    const menu = open(work);
    for (const id of [1, 2, 3]) add(menu, id);
    menu.rollTo("rastos-1-1", []);
    expect(names(menu)).toEqual(["rastos-1-1", "rastos-3-3", "rastos-2-2"]);
    add(menu, 4, 3);
    menu.condemn("rastos-4-4");
    expect(menu.next()?.name).toBe("rastos-1-1");
  });

  const reasonOf = (work: Workspace, id: number): string | undefined => {
    const path = work.at(`esp/EFI/rastos/${id}-${id}/reason.txt`);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  };

  test("reads the entries once for several questions, and again after a change", () => {
    using work = createWorkspace();
    const menu = open(work);
    add(menu, 1);
    add(menu, 2, 3);
    let reads = 0;
    const read = menu.files.read.bind(menu.files);
    menu.files.read = (path) => {
      reads += Number(path.endsWith(".conf"));
      return read(path);
    };
    menu.together(() => {
      expect([menu.next()?.name, names(menu).length]).toEqual(["rastos-2-2", 2]);
      menu.together(() => menu.entry("rastos-1-1"));
      expect(reads).toBe(2);
      menu.bless("rastos-2-2");
      expect(menu.entry("rastos-2-2").triesLeft).toBeUndefined();
      menu.put({ ...menu.entry("rastos-1-1"), version: menu.nextVersion() });
      expect(menu.next()?.name).toBe("rastos-1-1");
    });
    // Outside nothing is taken for known.
    work.write("esp/loader/entries/rastos-2-2.conf", "");
    expect(names(menu)).toEqual(["rastos-1-1"]);
  });

  test("rolls to another one, marks the one before it, and back again", () => {
    using work = createWorkspace();
    const menu = open(work);
    add(menu, 1);
    add(menu, 2);
    menu.rollTo("rastos-1-1", [{ name: "rastos-2-2", reason: "slow" }]);
    expect(filesOf(work)).toEqual(["rastos-1-1.conf", "rastos-2-2+0-1.conf"]);
    expect([menu.next()?.name, reasonOf(work, 2)]).toEqual(["rastos-1-1", "slow\n"]);
    menu.rollTo("rastos-2-2", [{ name: "rastos-1-1", reason: "old" }]);
    expect(filesOf(work)).toEqual(["rastos-1-1+0-1.conf", "rastos-2-2+3.conf"]);
    expect(menu.next()?.name).toBe("rastos-2-2");
    expect([reasonOf(work, 1), reasonOf(work, 2)]).toEqual(["old\n", undefined]);
    expect([menu.repair(), menu.settleReasons()]).toEqual([[], []]);
  });

  for (const [how, tries] of [
    ["put first", 0],
    ["marked alone", 3],
  ] as const) {
    for (const steps of [0, 1, 2]) {
      test(`cut off after step ${steps} of a rollback (${how}): the old one or the new one`, () => {
        using work = createWorkspace();
        const menu = open(work);
        add(menu, 1);
        // What boots next is blessed, and so is another one between them, or it is on trial.
        if (tries === 0) add(menu, 3);
        add(menu, 2, tries === 0 ? undefined : tries);
        cutAfter(menu, steps);
        const condemned = { name: "rastos-2-2", reason: "slow" };
        expect(() => menu.rollTo("rastos-1-1", [condemned])).toThrow("cut");
        const again = open(work);
        again.repair();
        again.settleReasons();
        // A higher version decides in the first step, the mark alone in the second.
        const isNew = steps >= (tries === 0 ? 1 : 2);
        expect(again.next()?.name).toBe(isNew ? "rastos-1-1" : "rastos-2-2");
        expect(again.entry("rastos-2-2").triesLeft === 0).toBe(isNew);
        expect(reasonOf(work, 2)).toBe(isNew ? "slow\n" : undefined);
        expect([again.repair(), again.settleReasons()]).toEqual([[], []]);
      });
    }
  }

  test("removes an entry with its kernel", () => {
    using work = createWorkspace();
    const menu = open(work);
    add(menu, 1);
    add(menu, 2);
    menu.remove("rastos-1-1");
    expect(names(menu)).toEqual(["rastos-2-2"]);
    expect(existsSync(work.at("esp/EFI/rastos/1-1"))).toBe(false);
    expect(() => menu.entry("rastos-1-1")).toThrow('"rastos-1-1"');
  });

  test("leaves what is not ours alone, and clears what was left behind", () => {
    using work = createWorkspace();
    const menu = open(work);
    add(menu, 1);
    add(menu, 2, 3);
    work.write("esp/loader/entries/arch.conf", "title Arch\nlinux /vmlinuz-linux\n");
    work.write("esp/loader/entries/rastos-9-9.conf.tmp", "half");
    work.write("esp/loader/entries/rastos-2-2+2-1.conf", menuText(work, "rastos-2-2+3.conf"));
    work.write("esp/EFI/rastos/8-8/vmlinuz", "no entry");
    menu.files.remove("EFI/rastos/1-1/initrd");
    expect([...menu.repair()].sort()).toEqual([
      "EFI/rastos/1-1",
      "EFI/rastos/8-8",
      "loader/entries/rastos-1-1.conf",
      "loader/entries/rastos-2-2+3.conf",
      "loader/entries/rastos-9-9.conf.tmp",
    ]);
    expect(filesOf(work)).toEqual(["arch.conf", "rastos-2-2+2-1.conf"]);
    expect(menu.repair()).toEqual([]);
  });
});

function menuText(work: Workspace, file: string): string {
  return readFileSync(work.at("esp/loader/entries", file), "utf8");
}

describe("GRUB beside it", () => {
  test("is told of every change, and what it has counted is not lost", () => {
    using work = createWorkspace();
    const menu = open(work);
    add(menu, 1);
    expect(menu.hasGrub()).toBe(false);
    menu.refreshGrub(5);
    expect(menu.hasGrub()).toBe(true);
    add(menu, 2, 3);
    const config = (): string => readFileSync(work.at("esp/grub/grub.cfg"), "utf8");
    expect(config()).toContain("set timeout=5");
    expect(config()).toContain("menuentry 'rastOS 2' --id rastos-2-2 {");
    // As GRUB's save_env leaves it.
    const env = `${"# GRUB Environment Block\nrastos_2_2=1-2\n".padEnd(1024, "#")}`;
    work.write("esp/grub/grubenv", env);
    expect(menu.entry("rastos-2-2")).toMatchObject({ triesLeft: 1, triesDone: 2 });
    add(menu, 3, 3);
    expect(filesOf(work)).toContain("rastos-2-2+1-2.conf");
    expect(readFileSync(work.at("esp/grub/grubenv"), "utf8")).toBe(emptyGrubEnv());
    menu.bless("rastos-3-3");
    expect(config()).not.toContain("rastos_3_3");
  });

  test("one that GRUB has given up is gone back to all the same", () => {
    using work = createWorkspace();
    const menu = open(work);
    const config = (): string => readFileSync(work.at("esp/grub/grub.cfg"), "utf8");
    add(menu, 1);
    add(menu, 2, 3);
    menu.refreshGrub(5);
    const env = "# GRUB Environment Block\nrastos_2_2=0-3\n".padEnd(1024, "#");
    work.write("esp/grub/grubenv", env);
    expect(menu.next()?.name).toBe("rastos-1-1");
    menu.repair();
    menu.rollTo("rastos-2-2", [{ name: "rastos-1-1", reason: "worse" }]);
    expect(menu.next()?.name).toBe("rastos-2-2");
    expect(filesOf(work)).toEqual(["rastos-1-1+0-1.conf", "rastos-2-2+3.conf"]);
    // A change that GRUB was not told of any more.
    work.write("esp/grub/grub.cfg", `${config()}# old`);
    menu.repair();
    expect(config()).not.toContain("# old");
  });

  test("a configuration of somebody else is not touched", () => {
    using work = createWorkspace();
    const menu = open(work);
    work.write("esp/grub/grub.cfg", "menuentry 'Arch' {}\n");
    add(menu, 1);
    expect(readFileSync(work.at("esp/grub/grub.cfg"), "utf8")).toBe("menuentry 'Arch' {}\n");
  });

  test("nothing in a title or an option is a command of GRUB's", () => {
    const text = formatGrubConfig(
      [
        {
          name: "rastos-1-1",
          title: "it's; reboot $x",
          version: "1",
          kernel: "/EFI/rastos/1-1/vmlinuz",
          initrd: "",
          options: "a=$(x) root=UUID=1-2",
          triesLeft: undefined,
          triesDone: 0,
        },
      ],
      3,
    );
    expect(text).toContain("menuentry 'it'\\''s; reboot $x' --id");
    expect(text).toContain("vmlinuz' 'a=$(x)' root=UUID=1-2\n");
  });

  test("its block is 1024 bytes, and any text gives variables or none", () => {
    expect(emptyGrubEnv()).toHaveLength(1024);
    expect(parseGrubEnv("garbage\na=b")).toEqual(new Map());
    expect(parseGrubEnv("# GRUB Environment Block\na=b\n####")).toEqual(new Map([["a", "b"]]));
  });
});
