import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ports } from "../../../src/rastos/ports.ts";
import { createPackageWorker } from "../../../src/workers.ts";
import { faultOf, makePackageWorld, shellPackage } from "../../support/package-world.ts";
import { describeUnless, firstReason, needsProgram, needsRoot } from "../../support/skip.ts";

setDefaultTimeout(60_000);

const missing = firstReason(needsRoot(), needsProgram("pacman", "busybox"));

for (const kind of ["libalpm", "pacman"] as const) {
  describeUnless(missing)(`beside other work (${kind})`, () => {
    beforeAll(() => {
      ports.createPackageWorker = createPackageWorker;
    });
    afterAll(() => {
      ports.createPackageWorker = undefined;
    });

    test("fetches over HTTP, from a server of this very process", async () => {
      using world = makePackageWorld();
      const { folder } = world.publish([
        {
          name: "a",
          version: "1:1-1",
          files: { "usr/a": crypto.getRandomValues(new Uint8Array(99_999)) },
        },
      ]);
      let isDown = false;
      using server = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        fetch: ({ url }) => {
          const file = Bun.file(join(folder, decodeURIComponent(new URL(url).pathname)));
          return isDown ? new Response("no", { status: 503 }) : new Response(file);
        },
      });
      const servers = [`http://127.0.0.1:${server.port}`];
      const manager = world.manager(kind, { repositories: [{ name: "test", servers }] });
      const files = new Set<string>();
      await manager.sync();
      await manager.run({ install: ["a"] }, (event) => {
        if (event.kind === "download") files.add(event.file);
      });
      expect([...files].join()).toContain("a-1:1-1-any");
      expect(existsSync(`${world.root}/usr/a`)).toBe(true);
      isDown = true;
      const fault = await faultOf(manager.sync());
      expect([fault.code, fault.excerpt.join()]).toEqual([
        "E_NETWORK",
        expect.stringContaining("503"),
      ]);
    });

    test("stops when it is told to, after the package at hand, without a lock", async () => {
      using world = makePackageWorld();
      const script = "post_install() { touch /begun; sleep 1; }\n";
      world.publish([
        shellPackage(),
        { name: "slow", version: "1-1", script },
        { name: "late", version: "1-1", depends: ["slow"] },
      ]);
      const controller = new AbortController();
      const manager = world.manager(kind, { signal: controller.signal });
      await manager.sync();
      await manager.run({ install: ["busybox"] });
      const running = faultOf(manager.run({ install: ["late"] }));
      while (!existsSync(`${world.root}/begun`)) await Bun.sleep(20);
      controller.abort();
      expect((await running).code).toBe("E_INTERRUPTED");
      expect(existsSync(`${world.root}/var/lib/pacman/db.lck`)).toBe(false);
      const left = await world.manager(kind).installed();
      expect(left.map(({ name }) => name)).toEqual(["busybox", "slow"]);
      // It goes on where it was.
      await world.manager(kind).run({ install: ["late"] });
    });
  });
}
