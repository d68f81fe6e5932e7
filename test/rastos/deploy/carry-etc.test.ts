import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { carryEtc } from "../../../src/rastos/deploy/carry-etc.ts";
import { type CarriedChange, planCarry } from "../../../src/rastos/deploy/carry-plan.ts";
import { compareEtc } from "../../../src/rastos/deploy/etc-diff.ts";
import { describeUnless, needsRoot } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

type Side = "base" | "mine" | "next";

interface World extends Workspace {
  /** A file of one of the three, or of all. */
  put(side: Side | "all", path: string, content: string, mode?: number): void;
  link(side: Side | "all", path: string, target: string): void;
  drop(side: Side, path: string): void;
  /** Carries into a copy of next, and says what became of what. */
  carry(declaration?: string): Promise<readonly CarriedChange[]>;
  /** What is in the new etc. */
  read(path: string): string | undefined;
  at(...path: string[]): string;
}

const SIDES = ["base", "mine", "next"] as const;

function world(): World {
  const work = createWorkspace();
  for (const side of SIDES) work.folder(side);
  const sides = (side: Side | "all"): readonly Side[] => (side === "all" ? SIDES : [side]);
  return {
    ...work,
    put(side, path, content, mode = 0o644) {
      for (const one of sides(side)) {
        work.write(`${one}/${path}`, content);
        chmodSync(work.at(one, path), mode);
      }
    },
    link(side, path, target) {
      for (const one of sides(side)) {
        rmSync(work.at(one, path), { force: true, recursive: true });
        Bun.spawnSync(["ln", "-s", target, work.at(one, path)]);
      }
    },
    drop: (side, path) => rmSync(work.at(side, path), { recursive: true }),
    async carry(declaration) {
      rmSync(work.at("root"), { recursive: true, force: true });
      work.folder("root");
      Bun.spawnSync(["cp", "-a", work.at("next"), work.at("root/etc")]);
      const plan = planCarry({
        base: work.at("base"),
        mine: work.at("mine"),
        next: work.at("next"),
      });
      const place = { root: work.at("root"), mine: work.at("mine"), declaration };
      return await carryEtc(plan, { ...place, shared: new Map() });
    },
    read(path) {
      const full = work.at("root/etc", path);
      return existsSync(full) ? readFileSync(full, "utf8") : undefined;
    },
  };
}

describeUnless(needsRoot())("what was changed by hand in /etc", () => {
  test("goes along where only it was changed: content, rights, links, added, removed", async () => {
    using work = world();
    work.put("all", "ssh/sshd_config", "Port 22\n");
    work.put("all", "gone", "x");
    work.put("all", "folder/gone", "x");
    work.put("all", "secret", "x");
    work.link("all", "localtime", "../usr/share/zoneinfo/UTC");
    work.put("next", "new-package", "brought\n");
    work.put("mine", "ssh/sshd_config", "Port 2222\n");
    work.put("mine", "wifi/home.conf", "psk\n", 0o600);
    chownSync(work.at("mine/wifi"), 7, 8);
    work.drop("mine", "gone");
    work.drop("mine", "folder");
    work.put("mine", "secret", "x", 0o600);
    chownSync(work.at("mine/secret"), 0, 42);
    work.link("mine", "localtime", "../usr/share/zoneinfo/Europe/Berlin");
    const changes = await work.carry();
    expect(changes.every(({ action }) => action === "carried")).toBe(true);
    expect(work.read("ssh/sshd_config")).toBe("Port 2222\n");
    expect(work.read("new-package")).toBe("brought\n");
    expect(work.read("gone")).toBeUndefined();
    expect(existsSync(work.at("root/etc/folder"))).toBe(false);
    const rights = (path: string): number[] => {
      const { mode, uid, gid } = lstatSync(work.at("root/etc", path));
      return [mode & 0o7777, uid, gid];
    };
    expect(rights("wifi")).toEqual([0o755, 7, 8]);
    expect(rights("wifi/home.conf")).toEqual([0o600, 0, 0]);
    expect(rights("secret")).toEqual([0o600, 0, 42]);
    expect(readlinkSync(work.at("root/etc/localtime"))).toContain("Berlin");
    // Nothing is left over, and the next deployment finds the same changes.
    const paths = compareEtc(work.at("next"), work.at("root/etc")).map(({ path }) => path);
    expect(paths).toEqual(["folder", "gone", "localtime", "secret", "ssh/sshd_config", "wifi"]);
  });

  test("is the file where both have changed it, with the new one beside it", async () => {
    using work = world();
    for (const side of SIDES) {
      work.put(side, "sshd_config", `${side}\n`);
      work.put(side, "same", side === "base" ? "old\n" : "equal\n");
    }
    work.put("all", "removed", "old\n");
    work.put("next", "removed", "new\n");
    work.drop("mine", "removed");
    work.put("all", "dropped", "old\n");
    work.put("mine", "dropped", "hand\n");
    work.drop("next", "dropped");
    const changes = await work.carry();
    expect(work.read("sshd_config")).toBe("mine\n");
    expect(work.read("sshd_config.rastos-new")).toBe("next\n");
    expect(work.read("same")).toBe("equal\n");
    expect(work.read("removed")).toBeUndefined();
    expect(work.read("removed.rastos-new")).toBe("new\n");
    expect(work.read("dropped")).toBe("hand\n");
    expect(changes.map(({ path, action, beside }) => [path, action, beside])).toEqual([
      ["dropped", "kept", undefined],
      ["removed", "kept", "removed.rastos-new"],
      ["sshd_config", "kept", "sshd_config.rastos-new"],
    ]);
    expect(changes.every(({ text }) => text !== undefined)).toBe(true);
  });

  test("and the file beside it, once carried, is replaced by a newer one", async () => {
    using work = world();
    for (const side of SIDES) work.put(side, "conf", `${side}\n`);
    work.put("mine", "conf.rastos-new", "of an earlier deployment\n");
    expect(await work.carry()).toHaveLength(1);
    expect(work.read("conf.rastos-new")).toBe("next\n");
    work.put("next", "conf", "base\n");
    expect(await work.carry()).toHaveLength(2);
    expect(work.read("conf.rastos-new")).toBe("of an earlier deployment\n");
  });

  test("joins what each has changed of one file: rights here, content there", async () => {
    using work = world();
    work.put("all", "conf", "old\n");
    work.put("mine", "conf", "old\n", 0o600);
    work.put("next", "conf", "new\n");
    expect(await work.carry()).toEqual([{ path: "conf", action: "merged" }]);
    expect(work.read("conf")).toBe("new\n");
    expect(lstatSync(work.at("root/etc/conf")).mode & 0o777).toBe(0o600);
  });

  test("keeps extended attributes", async () => {
    using work = world();
    work.put("all", "conf", "x\n");
    const set = Bun.spawnSync(["setfattr", "-n", "trusted.x", "-v", "1", work.at("mine/conf")]);
    if (!set.success) return;
    await work.carry();
    const got = Bun.spawnSync(["getfattr", "-n", "trusted.x", work.at("root/etc/conf")]);
    expect(got.stdout.toString()).toContain('trusted.x="1"');
  });

  test("files that became folders, and the other way round", async () => {
    using work = world();
    work.put("all", "file", "x");
    work.put("all", "folder/inner", "x");
    work.drop("mine", "file");
    work.put("mine", "file/inner", "mine\n");
    work.drop("mine", "folder");
    work.put("mine", "folder", "mine\n");
    work.put("next", "folder/new", "next\n");
    await work.carry();
    expect(work.read("file/inner")).toBe("mine\n");
    expect(work.read("folder")).toBe("mine\n");
    expect(work.read("folder.rastos-new/new")).toBe("next\n");
  });

  test("no link leads out of the new etc, and what cannot be carried is told", async () => {
    using work = world();
    work.put("all", "conf.d/own", "x\n");
    work.put("mine", "conf.d/own", "mine\n");
    work.folder("outside");
    work.drop("next", "conf.d");
    work.link("next", "conf.d", work.at("outside"));
    expect(await work.carry()).toEqual([
      {
        path: "conf.d/own",
        action: "left",
        text: "stays behind: its folder is none in the new snapshot",
      },
    ]);
    expect(existsSync(work.at("outside/own"))).toBe(false);
  });

  test("what rastOS and the system write is no change", async () => {
    using work = world();
    for (const side of SIDES) {
      for (const name of ["ld.so.cache", "machine-id", "passwd-", ".updated"]) {
        work.put(side, name, side);
      }
      work.put(side, "resolv.conf", side);
    }
    expect(await work.carry()).toEqual([{ path: "resolv.conf", action: "carried" }]);
    expect(work.read("ld.so.cache")).toBe("next");
    expect(work.read("resolv.conf")).toBe("mine");
    expect(existsSync(work.at("root/etc/resolv.conf.rastos-new"))).toBe(false);
  });
});

describeUnless(needsRoot())("accounts", () => {
  const passwd = "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n";
  const shadow = "root:*:::::::\nada:$6$declared$:::::::\n";
  const accounts = (work: World): void => {
    work.put("all", "passwd", passwd);
    work.put("all", "shadow", shadow, 0o600);
    work.put("all", "group", "root:x:0:\nada:x:1000:\n");
    work.put("next", "passwd", `${passwd}http:x:33:33::/:/bin/false\n`);
    work.put("next", "shadow", `${shadow}http:!:::::::\n`, 0o600);
  };

  test("of both are there, and the files keep their rights", async () => {
    using work = world();
    accounts(work);
    work.put("mine", "shadow", shadow.replace("root:*", "root:$6$hand$"), 0o640);
    const changes = await work.carry();
    expect(work.read("shadow")).toBe(
      "root:$6$hand$:::::::\nada:$6$declared$:::::::\nhttp:!:::::::\n",
    );
    expect(lstatSync(work.at("root/etc/shadow")).mode & 0o777).toBe(0o640);
    expect(changes).toEqual([{ path: "shadow", action: "merged" }]);
  });

  test("keep rights that were changed by hand, also where nothing else was", async () => {
    using work = world();
    for (const name of ["passwd", "group", "shadow", "gshadow"]) work.put("all", name, "");
    chmodSync(work.at("mine/group"), 0o600);
    expect(await work.carry()).toEqual([{ path: "group", action: "carried" }]);
    expect(lstatSync(work.at("root/etc/group")).mode & 0o777).toBe(0o600);
    expect(lstatSync(work.at("root/etc/passwd")).mode & 0o777).toBe(0o644);
  });

  test("a declared password counts more than one set by hand, and that is said", async () => {
    using work = world();
    accounts(work);
    work.put("mine", "shadow", shadow.replace("$6$declared$", "$6$hand$"), 0o600);
    const declaration = '[[users]]\nname = "ada"\npassword_hash = "$6$declared$"\n';
    const changes = await work.carry(declaration);
    expect(work.read("shadow")).toContain("ada:$6$declared$:");
    expect(changes.at(-1)).toMatchObject({
      path: "passwd",
      action: "declared",
      text: "change the user ada: a new password",
    });
  });

  test("one that is declared wins over a change by hand of the host name too", async () => {
    using work = world();
    for (const side of SIDES) work.put(side, "hostname", `${side}\n`);
    const changes = await work.carry('[system]\nhostname = "next"\n');
    expect(work.read("hostname")).toBe("next\n");
    expect(existsSync(work.at("root/etc/hostname.rastos-new"))).toBe(false);
    expect(changes.map(({ action }) => action)).toContain("declared");
  });
});
