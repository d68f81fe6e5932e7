import { expect } from "bun:test";
import { chmodSync, copyFileSync, existsSync, readFileSync } from "node:fs";
import { makeAurWorld, needsAurWorld } from "../support/aur-world.ts";
import { binaryPath, runCommand, runTool } from "../support/binary.ts";
import { testUnless } from "../support/skip.ts";

testUnless(needsAurWorld())(
  "who is not root builds what needs nothing more, by a list of his own",
  async () => {
    await using world = makeAurWorld();
    const { work, aur, repository } = world;
    const script = 'package() { install -Dm644 /dev/stdin "$pkgdir/usr/who" <<<"$(id -u)"; }';
    const commit = aur.publish({ base: "own", script });
    aur.publish({ base: "needy", fields: ["depends = official-lib"], script });
    const config = work.write(
      "pacman.conf",
      `[options]\nSigLevel = Never\n[test]\nServer = ${repository.servers[0]}\n`,
    );
    const home = work.folder("user");
    chmodSync(home, 0o777);
    const tool = work.at("triad");
    copyFileSync(await binaryPath("triad"), tool);
    const user = ["--reuid=1234", "--regid=1234", "--clear-groups", "--"];
    const build = async (name: string) =>
      await runCommand(
        [
          ...["setpriv", ...user, tool, "rastos", "aur", "build", name, "--root", "/"],
          ...["--config", config, "--yes-reviewed", commit, "--cache", `${home}/cache`],
        ],
        { env: { TRIAD_AUR_URL: aur.url, HOME: home } },
      );
    const own = await build("own");
    expect(own).toMatchObject({ code: 0 });
    expect(own.stdout).toEndWith("/own-1.0-1-any.pkg.tar.zst\n");
    const list = readFileSync(`${home}/.config/rastos/aur.lock`, "utf8");
    expect(list).toContain(commit);
    const needy = await build("needy");
    expect(needy).toMatchObject({ code: 1, stdout: "" });
  },
  60_000,
);

testUnless(needsAurWorld())(
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
