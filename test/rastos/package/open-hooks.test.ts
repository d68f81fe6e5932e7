import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { faultOf, makePackageWorld, shellPackage } from "../../support/package-world.ts";
import { describeUnless, firstReason, needsProgram, needsRoot } from "../../support/skip.ts";

// Many processes: slow where others work too.
setDefaultTimeout(60_000);

const missing = firstReason(needsRoot(), needsProgram("pacman", "busybox"));

const hook = (when: string, command: string, more = ""): string => `
[Trigger]
Operation = Install
Type = Package
Target = app
[Action]
Description = Doing ${command}
When = ${when}
Exec = ${command}
${more}`;

for (const kind of ["libalpm", "pacman"] as const) {
  describeUnless(missing)(`hooks and scripts (${kind})`, () => {
    test("run in the root, and are told", async () => {
      using world = makePackageWorld();
      world.publish([
        shellPackage(),
        {
          name: "app",
          version: "1-1",
          script: "post_install() { echo from the script; touch /scripted; }\n",
          files: {
            "usr/share/libalpm/hooks/a.hook": "",
            "etc/pacman.d/hooks/b.hook": hook("PostTransaction", "/usr/bin/touch /hooked"),
          },
        },
      ]);
      const manager = world.manager(kind);
      await manager.sync();
      await manager.run({ install: ["busybox"] });
      const events: string[] = [];
      await manager.run({ install: ["app"] }, (event) => {
        if (event.kind === "hook") events.push(event.name);
      });
      expect(existsSync(`${world.root}/scripted`)).toBe(true);
      expect(existsSync(`${world.root}/hooked`)).toBe(true);
      expect(existsSync("/hooked")).toBe(false);
      expect(events).toContain("Doing /usr/bin/touch /hooked");
    });

    test("one that says no before the transaction ends it", async () => {
      using world = makePackageWorld();
      world.publish([shellPackage(), { name: "app", version: "1-1", files: { "usr/app": "app" } }]);
      const manager = world.manager(kind);
      await manager.sync();
      await manager.run({ install: ["busybox"] });
      const folder = world.work.folder("root/etc/pacman.d/hooks");
      const text = hook("PreTransaction", "/usr/bin/false", "AbortOnFail");
      writeFileSync(`${folder}/no.hook`, text);
      const fault = await faultOf(manager.run({ install: ["app"] }));
      expect([fault.code, fault.message]).toEqual([
        "E_REFUSED",
        "Cannot change packages: a hook said no",
      ]);
      expect(existsSync(`${world.root}/usr/app`)).toBe(false);
    });

    test("a script that fails is noted, and the package is there", async () => {
      using world = makePackageWorld();
      const script = "post_install() { false; }\n";
      world.publish([shellPackage(), { name: "app", version: "1-1", script }]);
      const manager = world.manager(kind);
      await manager.sync();
      await manager.run({ install: ["busybox"] });
      const { notes } = await manager.run({ install: ["app"] });
      expect(notes).toEqual(["Something failed on the way: command failed to execute correctly"]);
      expect((await manager.installed()).map(({ name }) => name)).toContain("app");
    });
  });
}
