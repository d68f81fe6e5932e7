import { expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { openPackageManager } from "../../../src/rastos/package/open.ts";
import { makeAurWorld, needsAurWorld } from "../../support/aur-world.ts";
import { testUnless } from "../../support/skip.ts";

testUnless(needsAurWorld())(
  "AUR needs AUR needs official: in order, in a layer of their own, with the sources fetched",
  async () => {
    await using world = makeAurWorld();
    const { work, aur } = world;
    const source = aur.offer("app.txt", "the source\n");
    aur.publish({
      base: "aur-lib",
      packages: { "aur-lib": ["depends = official-lib>=3"], "aur-lib-docs": [] },
      script: `package_aur-lib() { install -Dm644 /dev/stdin "$pkgdir/usr/lib/aur-lib" <<<lib; }
package_aur-lib-docs() { install -Dm644 /dev/stdin "$pkgdir/usr/share/doc/aur-lib" <<<doc; }`,
    });
    aur.publish({
      base: "app",
      fields: [
        "makedepends = official-tool",
        "depends = aur-lib",
        `source = ${source.url}`,
        `sha256sums = ${source.sha256}`,
      ],
      script: `package() {
        cat /usr/lib/aur-lib /usr/lib/official-lib >/dev/null
        install -Dm644 "$srcdir/app.txt" "$pkgdir/usr/share/app"
        official-tool >> "$pkgdir/usr/share/app"
      }`,
    });
    const files = await world.build(["app"]);
    expect(files.map((file) => basename(file))).toEqual([
      "app-1.0-1-any.pkg.tar.zst",
      "aur-lib-1.0-1-any.pkg.tar.zst",
    ]);
    expect(world.reviews.map(({ base, from }) => [base, from])).toEqual([
      ["aur-lib", undefined],
      ["app", undefined],
    ]);
    expect(world.reviews[1]?.diff).toContain("+pkgname=(app)");
    // Nothing of it is left on this machine, not even what was needed for it.
    expect(Bun.which("official-tool")).toBe(null);
    expect(existsSync(work.at("cache/work"))).toBe(false);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(work.path);
    const root = work.folder("root");
    using manager = openPackageManager({
      root,
      repositories: [{ name: "test", servers: [`file://${work.at("repository")}`] }],
      signatureLevel: "Never",
    });
    await manager.sync();
    await manager.run({ files });
    expect(readFileSync(`${root}/usr/share/app`, "utf8")).toBe("the source\nmade\n");
    // A second time nothing is built and nobody is asked.
    world.events.length = 0;
    expect(await world.build(["app"], { approve: undefined })).toEqual(files);
    const phases = world.events.flatMap((event) => (event.kind === "phase" ? [event.phase] : []));
    expect(phases).toEqual(["kept", "kept"]);
  },
  60_000,
);
