import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createSubvolume } from "../../../src/rastos/snapshot/subvolume.ts";
import { SnapshotTree } from "../../../src/rastos/snapshot/tree.ts";
import {
  type ApplyEvent,
  type ApplyOutcome,
  type ApplyRequest,
  applySystem,
} from "../../../src/rastos/system/apply.ts";
import { baseSnapshot } from "../../../src/rastos/system/base.ts";
import { readSystemFile } from "../../../src/rastos/system/read.ts";
import { recordText } from "../../../src/rastos/system/record-text.ts";
import { type ApplyWorld, makeApplyWorld } from "../../support/apply-world.ts";
import { cannotMount } from "../../support/loop-filesystem.ts";
import { makePackage } from "../../support/pacman-repository.ts";
import { describeUnless, firstReason, needsProgram } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const missing = firstReason(cannotMount("btrfs"), needsProgram("busybox", "pacman", "unshare"));

describeUnless(missing)("a declaration, applied by the engine", () => {
  let work: Workspace;
  let world: ApplyWorld;
  beforeAll(() => {
    work = createWorkspace();
    world = makeApplyWorld(work.path);
  });
  afterAll(() => {
    world[Symbol.dispose]();
    work[Symbol.dispose]();
  });

  const events: ApplyEvent[] = [];

  async function apply(text: string, more: Partial<ApplyRequest> = {}): Promise<ApplyOutcome> {
    const file = await readSystemFile(world.declare(text));
    using tree = SnapshotTree.open(world.top, { command: "test" });
    events.length = 0;
    return await applySystem(tree, {
      file,
      from: baseSnapshot(tree.state, recordText(file)),
      isUpgrade: false,
      isDryRun: false,
      agree: async () => undefined,
      onEvent: (event) => events.push(event),
      ...more,
    });
  }

  test("packages of the AUR are built for the clone, with what they need", async () => {
    const folder = work.folder("built");
    const files = [
      makePackage(folder, { name: "helper", version: "3-1" }),
      makePackage(folder, { name: "paru", version: "2-1", depends: ["helper", "library"] }),
    ].map(({ path }) => path);
    const asked: (readonly string[])[] = [];
    const outcome = await apply('[packages]\naur = ["paru#0123456"]\n', {
      buildAur: async (names, { root }) => {
        asked.push(names);
        // Others may have the tree meanwhile, and the clone stays.
        using other = SnapshotTree.open(world.top, { command: "other" });
        expect(readdirSync(join(other.root, ".snapshots/tmp")).length).toBe(1);
        expect(existsSync(join(root, "usr/bin"))).toBe(true);
        return files;
      },
    });
    expect(asked).toEqual([["paru#0123456"]]);
    expect(outcome.kind).toBe("applied");
    const local = world.at(1, "var/lib/pacman/local");
    const names = readdirSync(local).filter((name) => name !== "ALPM_DB_VERSION");
    expect(names.sort()).toEqual(["helper-3-1", "library-1.0-1", "paru-2-1"]);
    const reason = (name: string): boolean =>
      readFileSync(join(local, name, "desc"), "utf8").includes("%REASON%\n1\n");
    expect(names.map(reason)).toEqual([true, true, false]);
    expect((await apply('[packages]\naur = ["paru#0123456"]\n')).kind).toBe("nothing");
  });

  test("who does not agree has nothing changed", async () => {
    const refused = apply('[system]\nhostname = "x"\n', {
      agree: async () => {
        throw new Error("no");
      },
    });
    expect(refused).rejects.toThrow("no");
    await refused.catch(() => undefined);
    expect(world.state().snapshots.length).toBe(2);
    expect(readdirSync(join(world.top, ".snapshots/tmp"))).toEqual([]);
  });

  test("a kernel that cannot be built is refused before anything is done", async () => {
    const refused = apply('[kernel]\nprofile = "production"\n');
    expect(refused).rejects.toMatchObject({ code: "E_NOT_BUILT" });
  });

  test("a signal ends it, and the hook that runs", async () => {
    const controller = new AbortController();
    const text = '[hooks]\npost_install = ["echo begun; sleep 60"]\n';
    const refused = apply(text, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.kind === "line") controller.abort();
      },
    });
    expect(refused).rejects.toMatchObject({ code: "E_INTERRUPTED" });
    await refused.catch(() => undefined);
    expect(world.state().snapshots.length).toBe(2);
  });

  test("what happens is told in order, lines of hooks too", async () => {
    await apply('[packages]\nofficial = ["editor"]\n[hooks]\npre_install = ["echo hi"]\n');
    const told = events.flatMap((event) => {
      if (event.kind === "begin") return [event.what];
      return event.kind === "line" ? [event.line] : [];
    });
    expect(told).toEqual([
      "databases",
      "hook pre_install: echo hi",
      "hi",
      "packages",
      "settings",
      "snapshot",
    ]);
  });

  test("home folders that all snapshots share are mended without a new snapshot", async () => {
    createSubvolume(join(world.top, "home"));
    const key = `ssh-ed25519 ${"A".repeat(68)} eve`;
    const text = `[[users]]\nname = "eve"\nssh_keys = ["${key}"]\n`;
    const made = await apply(text);
    expect(made.kind).toBe("applied");
    const { snapshots } = world.state();
    const keys = join(world.top, "home/eve/.ssh/authorized_keys");
    expect(readFileSync(keys, "utf8")).toBe(`${key}\n`);
    expect(existsSync(world.at(snapshots.at(-1)?.id ?? -1, "home/eve"))).toBe(false);
    rmSync(keys);
    expect((await apply(text, { isDryRun: true })).kind).toBe("planned");
    expect((await apply(text)).kind).toBe("homes");
    expect(readFileSync(keys, "utf8")).toBe(`${key}\n`);
    expect(world.state().snapshots).toEqual(snapshots);
    expect((await apply(text)).kind).toBe("nothing");
  });

  test("the kernel of a profile is built once, and goes with its declaration", async () => {
    const folder = work.folder("kernels");
    const asked: (readonly string[])[] = [];
    const buildKernel = async (profile: string, source: string): Promise<string> => {
      asked.push([profile, source]);
      return makePackage(folder, { name: `linux-rastos-${profile}`, version: "6.1-1" }).path;
    };
    const text = '[kernel]\nprofile = "tiny"\nsource = "/src/linux"\n';
    expect((await apply(text, { buildKernel })).kind).toBe("applied");
    expect(asked).toEqual([["tiny", "/src/linux"]]);
    const kernels = (): readonly string[] => {
      const newest = world.state().snapshots.at(-1)?.id ?? 0;
      const names = readdirSync(world.at(newest, "var/lib/pacman/local"));
      return names.filter((name) => name.startsWith("linux-rastos"));
    };
    expect(kernels()).toEqual(["linux-rastos-tiny-6.1-1"]);
    expect((await apply(text, { buildKernel })).kind).toBe("nothing");
    const other = text.replace("tiny", "production");
    expect((await apply(other, { buildKernel })).kind).toBe("applied");
    expect(kernels()).toEqual(["linux-rastos-production-6.1-1"]);
    expect((await apply("", { buildKernel })).kind).toBe("applied");
    expect(kernels()).toEqual([]);
    expect(asked.length).toBe(2);
  });
});
