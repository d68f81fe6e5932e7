import { expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { makeAurWorld, needsAurWorld } from "../support/aur-world.ts";
import { runTool } from "../support/binary.ts";
import { firstReason, testUnless } from "../support/skip.ts";

testUnless(firstReason(needsAurWorld()))(
  "search, info, review, build and install by the compiled executable",
  async () => {
    await using world = makeAurWorld();
    const { work, aur, repository } = world;
    const script = 'package() { install -Dm644 /dev/stdin "$pkgdir/usr/tool" <<<"$pkgver"; }';
    const base = { base: "tool", fields: ["makedepends = official-lib"], script };
    const first = aur.publish({ ...base, version: "1.0", files: { "x.install": "# \u001b[2J\n" } });
    const config = work.write(
      "pacman.conf",
      `[options]\nSigLevel = Never\n[test]\nServer = ${repository.servers[0]}\n`,
    );
    const root = work.folder("root");
    const env = { TRIAD_AUR_URL: aur.url };
    const rastos = (...args: string[]) => runTool("rastos", ["aur", ...args], { env });
    const where = ["--root", root, "--config", config, "--cache", work.at("cache")];

    const found = await rastos("search", "tool", "tests");
    expect(found.stdout).toBe("tool 1.0-1 (3 votes)\n    For tests\n");
    expect((await rastos("search", "nothing")).code).toBe(1);
    const info = await rastos("info", "tool", "--json");
    expect(JSON.parse(info.stdout).packages[0]).toMatchObject({ name: "tool", version: "1.0-1" });
    expect((await rastos("info", "tol")).stderr).toContain('Cannot find "tol" in the AUR');

    const dry = await rastos("build", "tool", "--dry-run", ...where);
    expect(dry.stdout).toBe(
      `Would build tool 1.0-1 at ${first} (to be reviewed)\n  with official-lib\n`,
    );
    const unasked = await rastos("review", "tool", ...where);
    expect(unasked.code).toBe(1);
    expect(unasked.stderr).toContain("+pkgver=1.0");
    // What a package holds must not reach the terminal as it is.
    expect(unasked.stderr).toContain("+# \\e[2J");
    expect(unasked.stderr).toContain(`--yes-reviewed ${first}`);
    expect(existsSync(`${root}/etc/rastos/aur.lock`)).toBe(false);
    const refused = await rastos("install", "tool", ...where, "--build-in", "/");
    expect(refused).toMatchObject({ code: 1, stdout: "" });

    const passed = await rastos("review", "tool", ...where, "--yes-reviewed", first.slice(0, 12));
    expect(passed).toMatchObject({ code: 0 });
    expect(readFileSync(`${root}/etc/rastos/aur.lock`, "utf8")).toContain(first);
    const installed = await rastos("install", "tool", ...where, "--build-in", "/", "--json");
    expect(installed).toMatchObject({ code: 0 });
    expect(JSON.parse(installed.stdout)).toMatchObject({
      schema: "rastos.aur-install/1",
      changes: [{ kind: "install", name: "tool", newVersion: "1.0-1" }],
    });
    expect(readFileSync(`${root}/usr/tool`, "utf8")).toBe("1.0\n");
    const again = await rastos("install", "tool", ...where, "--build-in", "/");
    expect(again.stderr).toContain("Nothing to do");
    const files = await rastos("build", "tool", ...where);
    expect(files.stdout).toEndWith("/tool-1.0-1-any.pkg.tar.zst\n");
  },
  120_000,
);
