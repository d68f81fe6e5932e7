import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, chownSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  BUILD_TIME_SECONDS,
  databaseEntryOf,
  makePackage,
  makeRepository,
  type PackageSpec,
} from "./pacman-repository.ts";
import { describeUnless, firstReason, needsProgram, needsRoot } from "./skip.ts";
import { createWorkspace } from "./workspace.ts";

// Many processes: slow where others work too.
setDefaultTimeout(60_000);

const SPEC: PackageSpec = {
  name: "probe",
  version: "2:1.2-3",
  description: "A probe",
  groups: ["g1", "g2"],
  depends: ["glibc>=2", "bash"],
  optdepends: ["foo: for foo"],
  provides: ["prov=3", "prov2"],
  conflicts: ["confl<2"],
  replaces: ["old"],
  backup: ["etc/probe.conf"],
  script: "post_install() { echo hello; }\n",
  files: {
    "etc/probe.conf": "conf\n",
    "usr/bin/hard": { content: "#!/bin/sh\n", mode: 0o755 },
    "usr/bin/link": { symlink: "hard" },
    "usr/bin/name": { hardlink: "usr/bin/hard", mode: 0o755 },
    "usr/share/empty": { folder: true },
    "usr/share/with space": "",
  },
};

const PKGBUILD = `
pkgname=probe pkgver=1.2 pkgrel=3 epoch=2 pkgdesc="A probe" arch=(any)
url=https://example.org license=(MIT) groups=(g1 g2) depends=('glibc>=2' bash)
optdepends=('foo: for foo') provides=(prov=3 prov2) conflicts=('confl<2') replaces=(old)
backup=(etc/probe.conf) install=probe.install
package() {
  cd "$pkgdir"; mkdir -p etc usr/bin usr/share/empty
  echo conf >etc/probe.conf; printf '#!/bin/sh\\n' >usr/bin/hard; chmod 755 usr/bin/hard
  ln -s hard usr/bin/link; ln usr/bin/hard usr/bin/name; touch "usr/share/with space"
}`;

const tools = needsProgram("makepkg", "fakeroot", "bsdtar", "repo-add", "pacman");

describeUnless(firstReason(tools, needsRoot()))("packages written by hand", () => {
  test("are those of makepkg, and their database is that of repo-add", () => {
    using work = createWorkspace();
    const theirs = buildByMakepkg(work.folder("makepkg"));
    const ours = makePackage(work.at("ours"), SPEC).path;
    expect(basename(ours)).toBe(basename(theirs));
    expect(infoOf(ours)).toEqual(infoOf(theirs));
    expect(listed(ours)).toEqual(listed(theirs));
    expect(treeOf(ours)).toEqual(treeOf(theirs));
    expect(run("tar", "-xOf", ours, ".INSTALL")).toBe(run("tar", "-xOf", theirs, ".INSTALL"));

    const { packages, folder } = makeRepository(work.at("repo"), [SPEC], { database: "repo-add" });
    const entry = run("tar", "-xOf", `${folder}/test.db`, "probe-2:1.2-3/desc");
    expect(packages.map(databaseEntryOf)).toEqual([entry]);
  });
});

describe("an archive", () => {
  test("keeps names that are no ASCII, owners and modes", () => {
    using work = createWorkspace();
    const files = { [`${"d".repeat(90)}/é`]: { content: "x", mode: 0o4711, uid: 7, gid: 8 } };
    const { path } = makePackage(work.path, { name: "a", version: "1-1", files });
    const lines = run("tar", "--numeric-owner", "-tvf", path).split("\n");
    expect(lines.at(-2)).toMatch(/^-rws--x--x 7\/8 +1 .*d\/(é|\\303\\251)$/);
  });
});

function buildByMakepkg(folder: string): string {
  const environment = {
    ...process.env,
    HOME: folder,
    PACKAGER: "Test <test@example.org>",
    SOURCE_DATE_EPOCH: String(BUILD_TIME_SECONDS),
    PKGEXT: ".pkg.tar.zst",
  };
  const script = SPEC.script?.trim();
  const write = `cat >PKGBUILD <<'EOF'\n${PKGBUILD}\nEOF\necho '${script}' >probe.install`;
  // makepkg refuses to run as root.
  for (const above of [folder, `${folder}/..`]) chmodSync(above, 0o755);
  chownSync(folder, 65534, 65534);
  const command = `${write}; makepkg -d >log 2>&1 || { cat log >&2; exit 1; }; ls -1 *.zst`;
  const result = Bun.spawnSync(
    ["setpriv", "--reuid=65534", "--clear-groups", "sh", "-ec", command],
    {
      cwd: folder,
      env: environment,
    },
  );
  if (!result.success) throw new Error(result.stderr.toString());
  return `${folder}/${result.stdout.toString().trim()}`;
}

/** .PKGINFO in the order of makepkg, without its comments. */
function infoOf(path: string): string[] {
  const text = run("tar", "-xOf", path, ".PKGINFO");
  return text.split("\n").filter((line) => !line.startsWith("#"));
}

/** Type, mode, owner and name; size and content of the files with dots differ. */
function listed(path: string): string[] {
  const lines = run("tar", "--numeric-owner", "-tvf", path).trim().split("\n");
  return lines.map((line) => (/ \.[A-Z]+$/.test(line) ? line.replace(/ \d+ /, " ") : line));
}

/** Each path of .MTREE with all its values, those of `/set` and of folded defaults too. */
function treeOf(path: string): Record<string, Record<string, string>> {
  const tree: Record<string, Record<string, string>> = {};
  let set: Record<string, string> = {};
  const gzipped = Bun.spawnSync(["tar", "-xOf", path, ".MTREE"]).stdout;
  for (const line of gunzipSync(gzipped).toString().trim().split("\n")) {
    const [name = "", ...words] = line.split(" ");
    const values = Object.fromEntries(words.map((word) => word.split("=", 2)));
    if (name === "/set") set = { ...set, ...values };
    else if (name.startsWith("./.")) tree[name] = {};
    else if (name !== "#mtree") tree[name] = { ...set, ...values };
  }
  return tree;
}

function run(...command: string[]): string {
  const result = Bun.spawnSync(command, { stdout: "pipe", stderr: "pipe" });
  if (!result.success) throw new Error(`${command.join(" ")}: ${result.stderr.toString()}`);
  return result.stdout.toString();
}
