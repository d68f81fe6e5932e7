import { expect } from "bun:test";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import {
  type AurEvent,
  type AurOptions,
  buildAurPackages,
} from "../../../src/rastos/aur/build-packages.ts";
import type { AurReview } from "../../../src/rastos/aur/review.ts";
import { openPackageManager } from "../../../src/rastos/package/open.ts";
import { type AurServer, startAurServer } from "../../support/aur-server.ts";
import { makeRepository } from "../../support/pacman-repository.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const needs = firstReason(
  needsRoot(),
  needsProgram("makepkg", "pacman", "bwrap", "git", "bsdtar", "fakeroot", "setpriv"),
);

interface World extends AsyncDisposable {
  readonly work: Workspace;
  readonly aur: AurServer;
  readonly reviews: AurReview[];
  readonly events: AurEvent[];
  build(names: readonly string[], more?: Partial<AurOptions>): Promise<readonly string[]>;
}

function makeWorld(): World {
  const work = createWorkspace();
  // The build user has to pass through.
  chmodSync(work.path, 0o711);
  const aur = startAurServer(work.folder("aur"));
  const repository = makeRepository(work.folder("repository"), [
    {
      name: "official-tool",
      version: "2-1",
      depends: ["official-lib"],
      files: { "usr/bin/official-tool": { content: "#!/bin/sh\necho made\n", mode: 0o755 } },
    },
    { name: "official-lib", version: "3-1", files: { "usr/lib/official-lib": "lib" } },
  ]);
  const reviews: AurReview[] = [];
  const events: AurEvent[] = [];
  return {
    work,
    aur,
    reviews,
    events,
    build: (names, more = {}) =>
      buildAurPackages(names, {
        packages: {
          root: "/",
          repositories: [{ ...repository, signatureLevel: "Never" }],
        },
        environment: { TRIAD_AUR_URL: aur.url },
        cacheFolder: work.at("cache"),
        lockFile: work.at("aur.lock"),
        approve: async (review) => {
          reviews.push(review);
          return true;
        },
        onEvent: (event) => {
          events.push(event);
        },
        ...more,
      }),
    async [Symbol.asyncDispose]() {
      await aur[Symbol.asyncDispose]();
      work[Symbol.dispose]();
    },
  };
}

testUnless(needs)(
  "AUR needs AUR needs official: in order, in a layer of their own, with the sources fetched",
  async () => {
    await using world = makeWorld();
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
