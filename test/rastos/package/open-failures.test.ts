import { expect, setDefaultTimeout, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { faultOf, makePackageWorld } from "../../support/package-world.ts";
import { describeUnless, firstReason, needsProgram, needsRoot } from "../../support/skip.ts";

// Many processes: slow where others work too.
setDefaultTimeout(60_000);

const missing = firstReason(needsRoot(), needsProgram("pacman"));

for (const kind of ["libalpm", "pacman"] as const) {
  describeUnless(missing)(`what can go wrong (${kind})`, () => {
    test("nobody's lock, and somebody's", async () => {
      using world = makePackageWorld();
      world.publish([{ name: "a", version: "1-1" }]);
      const manager = world.manager(kind);
      await manager.sync();
      const lock = `${world.root}/var/lib/pacman/db.lck`;
      writeFileSync(lock, "");
      const stale = await faultOf(manager.run({ install: ["a"] }));
      expect([stale.code, stale.message]).toEqual([
        "E_LOCKED",
        `Cannot change packages: "${lock}" is there, though no process holds it`,
      ]);
      expect(stale.hint).toContain("delete the file");
      const fd = openSync(lock, "r");
      const held = await faultOf(manager.run({ install: ["a"] }));
      closeSync(fd);
      expect(held.message).toBe(
        `Cannot change packages: "bun" (process ${process.pid}) works on the same packages`,
      );
      // A plan needs no lock.
      expect((await manager.plan({ install: ["a"] })).changes.length).toBe(1);
      expect((await manager.installed()).length).toBe(0);
    });

    test("what is not fetched, not there, and not reachable", async () => {
      using world = makePackageWorld();
      world.publish([{ name: "a", version: "1-1" }]);
      const manager = world.manager(kind);
      const unfetched = 'the database of "test" is not here yet';
      expect((await faultOf(manager.search(["a"]))).message).toContain(unfetched);
      expect((await faultOf(manager.run({ install: ["a"] }))).message).toContain(unfetched);
      expect((await manager.plan({ install: ["a"] }, { refresh: true })).changes.length).toBe(1);
      await manager.sync();
      const absent = await faultOf(manager.run({ install: ["nope", "a", "gone"] }));
      expect([absent.code, absent.message]).toEqual([
        "E_NOT_FOUND",
        'Cannot change packages: no repository has "nope", "gone"',
      ]);
      const removed = await faultOf(manager.run({ remove: ["a"] }));
      expect(removed.message).toBe('Cannot change packages: "a" is not installed');
      const repositories = [{ name: "test", servers: ["file:///no/such/folder"] }];
      const unreachable = await faultOf(world.manager(kind, { repositories }).sync());
      expect(unreachable.code).toBe("E_NETWORK");
      expect(unreachable.excerpt.join()).toContain("test.db");
    });

    test("files that belong to others, and dependencies that would go", async () => {
      using world = makePackageWorld();
      world.publish([
        { name: "a", version: "1-1", files: { "usr/x": "a" } },
        { name: "b", version: "1-1", files: { "usr/x": "b" } },
        { name: "c", version: "1-1", depends: ["a"] },
      ]);
      const manager = world.manager(kind);
      await manager.sync();
      await manager.run({ install: ["c"] });
      expect((await faultOf(manager.run({ install: ["b"] }))).message).toBe(
        'Cannot change packages: "/usr/x" of "b" belongs to "a"',
      );
      const broken = await faultOf(manager.run({ remove: ["a"] }));
      expect([broken.code, broken.message]).toEqual([
        "E_UNSATISFIABLE",
        'Cannot change packages: "c" needs "a", which would go with this',
      ]);
      expect((await manager.installed()).map(({ name }) => name)).toEqual(["a", "c"]);
    });

    test("a package that is damaged on the way", async () => {
      using world = makePackageWorld();
      const { packages } = world.publish([{ name: "a", version: "1-1", files: { x: "x" } }]);
      const manager = world.manager(kind);
      await manager.sync();
      const path = packages[0]?.path ?? "";
      const bytes = readFileSync(path);
      bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
      writeFileSync(path, bytes);
      const fault = await faultOf(manager.run({ install: ["a"] }));
      expect([fault.code, fault.message]).toEqual([
        "E_INTEGRITY",
        'Cannot change packages: "a-1-1-any.pkg.tar.zst" is not intact',
      ]);
      expect(existsSync(`${world.root}/x`)).toBe(false);
    });

    test("another processor's package", async () => {
      using world = makePackageWorld();
      world.publish([{ name: "a", version: "1-1", arch: "riscv64" }]);
      const manager = world.manager(kind);
      await manager.sync();
      expect((await faultOf(manager.run({ install: ["a"] }))).message).toContain(
        "is for another kind of processor",
      );
    });

    test("a folder that leads out of the root", async () => {
      using world = makePackageWorld();
      mkdirSync(world.work.at("host"));
      symlinkSync(world.work.at("host"), `${world.root}/var`);
      const fault = await faultOf(world.manager(kind).sync());
      expect([fault.code, fault.message]).toEqual([
        "E_REFUSED",
        expect.stringContaining(`"${world.root}/var" leads out of it`),
      ]);
      expect(readdirSync(world.work.at("host"))).toEqual([]);
    });

    test("packages that reach out of the root through links", async () => {
      using world = makePackageWorld();
      const outside = world.work.folder("outside");
      world.publish([
        { name: "link", version: "1-1", files: { way: { symlink: outside } } },
        { name: "file", version: "1-1", files: { "way/file": "out" } },
        { name: "usr", version: "1-1", files: { "usr/share/file": "out" } },
      ]);
      const manager = world.manager(kind);
      await manager.sync();
      symlinkSync(outside, `${world.root}/usr`);
      for (const install of [["usr"], ["link", "file"]]) {
        expect((await faultOf(manager.run({ install }))).code).toBe("E_REFUSED");
      }
      await manager.run({ install: ["link"] });
      expect((await faultOf(manager.run({ install: ["file"] }))).code).toBe("E_REFUSED");
      expect(readdirSync(outside)).toEqual([]);
    });

    test("files that are kept, or left out, and groups that are ignored", async () => {
      using world = makePackageWorld();
      const files = (version: string) => ({ "etc/kept": version, "usr/doc/x": "x", "usr/y": "y" });
      const at = (version: string) => [
        { name: "a", version, files: files(version) },
        { name: "b", version, groups: ["g"] },
      ];
      world.publish(at("1-1"));
      const options = {
        keptFiles: ["etc/kept"],
        leftOutFiles: ["usr/doc/*"],
        ignoredGroups: ["g"],
      };
      const manager = world.manager(kind, options);
      await manager.sync();
      await world.manager(kind).run({ install: ["b"] });
      await manager.run({ install: ["a"] });
      expect(existsSync(`${world.root}/usr/y`)).toBe(true);
      expect(existsSync(`${world.root}/usr/doc/x`)).toBe(false);
      world.publish(at("2-1"));
      await manager.sync();
      const { changes, notes } = await manager.run({ upgrade: true });
      expect(changes.map(({ name }) => name)).toEqual(["a"]);
      expect(notes.join("\n")).toContain('"/etc/kept.pacnew"');
      expect(readFileSync(`${world.root}/etc/kept`, "utf8")).toBe("1-1");
    });

    test("marks, ignored packages and optional dependencies", async () => {
      using world = makePackageWorld();
      const specs = [
        { name: "a", version: "1-1", optdepends: ["b: for more", "c"] },
        { name: "c", version: "1-1" },
      ];
      world.publish(specs);
      const manager = world.manager(kind);
      await manager.sync();
      const { notes } = await manager.run({ install: ["a", "c"] });
      expect(notes).toEqual(['"a" can also use b: for more']);
      await manager.mark(["c"], "dependency");
      const reasons = (await manager.installed()).map(({ reason }) => reason);
      expect(reasons).toEqual(["explicit", "dependency"]);
      expect((await faultOf(manager.mark(["x"], "explicit"))).code).toBe("E_NOT_FOUND");
      world.publish(specs.map((spec) => ({ ...spec, version: "2-1" })));
      await manager.sync();
      const kept = await manager.plan({ upgrade: true, ignored: ["a"] });
      expect(kept.changes.map(({ name }) => name)).toEqual(["c"]);
      expect(kept.notes.join()).toContain("a: ignoring package upgrade (1-1 => 2-1)");
    });
  });

  describeUnless(firstReason(missing, cannotMount("ext4")))(`a full disk (${kind})`, () => {
    test("is said before anything is changed", async () => {
      using disk = mountFilesystem({ kind: "ext4", sizeBytes: 16 * 1024 * 1024 });
      using world = makePackageWorld();
      const large = crypto.getRandomValues(new Uint8Array(65_536));
      const files = Object.fromEntries(
        Array.from({ length: 400 }, (_, index) => [`usr/f${index}`, large] as const),
      );
      world.publish([{ name: "large", version: "1-1", files }]);
      const cacheFolder = world.work.folder("cache");
      const manager = world.manager(kind, { root: disk.path, cacheFolder });
      await manager.sync();
      const fault = await faultOf(manager.run({ install: ["large"] }));
      expect(fault.code).toBe("E_NO_SPACE");
      expect(fault.excerpt.join()).toContain("blocks needed");
      expect(existsSync(`${disk.path}/usr`)).toBe(false);
      expect(dirname(cacheFolder)).toBe(world.work.path);
    });
  });
}
