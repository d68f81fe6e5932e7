/** `blast python …` end to end, against a mirror on loopback. */
import { describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
} from "node:fs";
import { ownTarget } from "../../../src/blast/python/builds.ts";
import { type BlastHome, blastHome } from "../../support/blast-home.ts";
import { fakePython } from "../../support/fake-python.ts";
import {
  type PythonMirror,
  pythonArchive,
  pythonMirror,
  sha256,
} from "../../support/python-mirror.ts";
import { tarBytes } from "../../support/tar-bytes.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const TIMEOUT_MS = 60_000;
const { os, arch, libc } = ownTarget();

interface Offer {
  readonly version: string;
  readonly format?: "gz" | "zst";
  readonly archive?: Uint8Array;
  readonly sha256?: string | null;
  readonly variant?: string;
  readonly arch?: string;
}

/** Serves builds and a list of them in the shape of uv's. */
function offer(mirror: PythonMirror, offers: readonly Offer[]): string {
  const list: Record<string, unknown> = { "../evil": { name: "cpython" }, odd: 1 };
  for (const { version, format = "gz", variant, ...rest } of offers) {
    const archive = rest.archive ?? pythonArchive(version, { format });
    const flavour = variant === undefined ? "" : `+${variant}`;
    const key = `cpython-${version}${flavour}-${os}-${arch}-${libc}`;
    const path = `/files/${rest.arch ?? arch}/${key}.tar.${format}`;
    mirror.files.set(path, archive);
    const [, numbers = "", prerelease] = /^([\d.]+)(.*)$/.exec(version) ?? [];
    const [major, minor, patch] = numbers.split(".").map(Number);
    list[rest.arch === undefined ? key : `${key}-${rest.arch}`] = {
      ...{ name: "cpython", os: os === "macos" ? "darwin" : os, libc, major, minor, patch },
      arch: { family: rest.arch ?? arch, variant: null },
      prerelease,
      url: mirror.url + path,
      sha256: rest.sha256 === undefined ? sha256(archive) : rest.sha256,
      variant: variant ?? null,
      build: "20260101",
    };
  }
  mirror.files.set("/list.json", JSON.stringify(list));
  return `${mirror.url}/list.json`;
}

async function user(work: Workspace): Promise<BlastHome & { readonly own: string }> {
  const home = await blastHome(work);
  return { ...home, own: work.at("home/.local/share/blast/python") };
}

const key = (version: string): string => `cpython-${version}-${os}-${arch}-${libc}`;

test(
  "a new build that does not work takes no working one away",
  async () => {
    using work = createWorkspace();
    using mirror = pythonMirror();
    const home = await user(work);
    const from = ["--python-downloads-json-url", offer(mirror, [{ version: "3.71.4" }])];
    expect((await home.blast(["python", "install", "3.71", ...from])).code).toBe(0);
    const script = "#!/bin/sh\necho no libc >&2; exit 127\n";
    const files = [{ path: "python/bin/python3", content: script, mode: 0o755 }];
    const archive = Bun.gzipSync(Buffer.from(tarBytes(files)));
    offer(mirror, [{ version: "3.71.4", archive }]);
    const env = { XDG_CACHE_HOME: work.at("cache-2") };
    const anew = ["python", "install", "3.71", "--reinstall", ...from];
    const failed = await home.blast(anew, { env });
    expect([failed.code, failed.stderr]).toEqual([
      1,
      `error: Cannot use "${key("3.71.4")}": it does not answer: no libc\n` +
        "hint: the one that was there stays\n",
    ]);
    expect(readdirSync(home.own)).toEqual([key("3.71.4")]);
    expect((await home.blast(["python", "find", "3.71"])).code).toBe(0);
    // As one that is killed in the middle leaves it.
    const scratch = `${home.own}/.new-999999999-${key("3.71.4")}`;
    mkdirSync(scratch);
    renameSync(`${home.own}/${key("3.71.4")}`, `${scratch}/before`);
    expect((await home.blast(anew, { env })).code).toBe(1);
    expect(readdirSync(home.own)).toEqual([key("3.71.4")]);
    expect((await home.blast(["python", "find", "3.71"])).code).toBe(0);
  },
  TIMEOUT_MS,
);

test("a user name with a percent sign is one", async () => {
  using work = createWorkspace();
  const home = await user(work);
  const from = ["--python-downloads-json-url", "http://50%:x@127.0.0.1:1/list.json"];
  const { code, stderr } = await home.blast(["python", "install", "3.71", ...from]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("Cannot fetch the list of Pythons")]);
});

test(
  "install, find, start, uninstall",
  async () => {
    using work = createWorkspace();
    using mirror = pythonMirror();
    const home = await user(work);
    const list = offer(mirror, [
      { version: "3.71.4" },
      { version: "3.71.12" },
      { version: "3.72.0rc1" },
      { version: "3.71.99", arch: "vax" },
      { version: "3.70.1", format: "zst" },
    ]);
    const from = ["--python-downloads-json-url", list];
    const installed = await home.blast(["python", "install", "3.71", "3.70", ...from]);
    expect([installed.code, installed.stderr]).toEqual([
      0,
      `Installed Python 3.71.12 in ${home.own}/${key("3.71.12")}\n` +
        `Installed Python 3.70.1 in ${home.own}/${key("3.70.1")}\n`,
    ]);
    expect(readdirSync(home.own).sort()).toEqual([key("3.70.1"), key("3.71.12")]);
    expect(
      readFileSync(`${home.own}/${key("3.71.12")}/lib/python3.71/EXTERNALLY-MANAGED`, "utf8"),
    ).toContain("blast manages this Python");
    const again = await home.blast(["python", "install", "3.71", ...from]);
    expect(again.stderr).toStartWith("Already there: Python 3.71.12");
    expect(mirror.requests.filter((path) => path.includes("3.71.12"))).toHaveLength(1);

    const python = `${home.own}/${key("3.71.12")}/bin/python3`;
    const found = await home.blast(["python", "find", "3.71"]);
    expect(found.stdout).toBe(`${python}\n`);
    const project = work.folder("project");
    const started = await home.blast(["start", "--python", "3.71"], { cwd: project });
    expect([started.code, readlinkSync(`${project}/.venv/bin/python`)]).toEqual([0, python]);

    const removed = await home.blast(["python", "uninstall", "3.71"]);
    expect(removed.stderr).toContain(`The environment "${project}/.venv" uses it`);
    expect(readdirSync(home.own)).toEqual([key("3.70.1")]);
    const none = await home.blast(["python", "uninstall", "3.71"]);
    expect([none.code, none.stderr]).toEqual([
      1,
      'error: Cannot remove Python "3.71": blast has not installed it\n' +
        `hint: it has installed ${key("3.70.1")}\n`,
    ]);
  },
  TIMEOUT_MS,
);

test(
  "the releases of python-build-standalone, from a mirror that is told by variable",
  async () => {
    using work = createWorkspace();
    using mirror = pythonMirror();
    const home = await user(work);
    const system = { linux: "unknown-linux-gnu", macos: "apple-darwin" }[os] ?? "";
    const small = pythonArchive("3.71.2");
    const names = {
      [`cpython-3.71.2+20260101-${arch}-${system}-install_only.tar.gz`]: pythonArchive("3.71.2"),
      [`cpython-3.71.2+20260101-${arch}-${system}-install_only_stripped.tar.gz`]: small,
      [`cpython-3.71.2+20260101-${arch}-${system}-debug-full.tar.zst`]: small,
      [`cpython-3.71.2+20260101-vax-${system}-install_only.tar.gz`]: small,
    };
    const releases = "https://github.com/astral-sh/python-build-standalone/releases/download";
    const latest = { version: 1, tag: "20260101", asset_url_prefix: `${releases}/20260101` };
    mirror.files.set("/pbs/latest-release.json", JSON.stringify(latest));
    const sums = Object.entries(names).map(([name, bytes]) => `${sha256(bytes)}  ${name}`);
    mirror.files.set("/pbs/20260101/SHA256SUMS", `${sums.join("\n")}\n`);
    for (const [name, bytes] of Object.entries(names)) {
      mirror.files.set(`/pbs/20260101/${name}`, bytes);
    }
    const env = { BLAST_PYTHON_MIRROR: `${mirror.url}/pbs/` };
    const installed = await home.blast(["python", "install"], { env });
    expect([installed.code, installed.stderr]).toEqual([
      0,
      `Installed Python 3.71.2 in ${home.own}/${key("3.71.2")}\n`,
    ]);
    expect(mirror.requests.at(-1)).toContain("install_only_stripped");
  },
  TIMEOUT_MS,
);

describe("what is refused leaves nothing", () => {
  const cases: Record<string, { readonly offer: Offer; readonly says: string }> = {
    "another file": {
      offer: { version: "3.71.1", sha256: "0".repeat(64) },
      says: "the file is not what the list says",
    },
    "no checksum": {
      offer: { version: "3.71.1", sha256: null },
      says: "the list gives no SHA-256 for it",
    },
    "a hostile member": {
      offer: {
        version: "3.71.1",
        archive: pythonArchive("3.71.1", {
          extra: [{ path: "python/../../../../evil", content: "x" }],
        }),
      },
      says: '"python/../../../../evil" leads outside',
    },
    "a damaged archive": {
      offer: { version: "3.71.1", archive: pythonArchive("3.71.1").slice(0, 300) },
      says: "Cannot unpack",
    },
    "no Python": {
      offer: { version: "3.71.1", archive: Bun.gzipSync(new Uint8Array(1024)) },
      says: "there is no Python in the archive",
    },
  };
  for (const [name, { offer: one, says }] of Object.entries(cases)) {
    test(
      name,
      async () => {
        using work = createWorkspace();
        using mirror = pythonMirror();
        const home = await user(work);
        const list = offer(mirror, [one]);
        const { code, stderr } = await home.blast([
          "python",
          "install",
          "3.71",
          "--python-downloads-json-url",
          list,
        ]);
        expect([code, stderr]).toEqual([1, expect.stringContaining(says)]);
        expect(existsSync(home.own) ? readdirSync(home.own) : []).toEqual([]);
        expect(readdirSync(work.path).sort()).toEqual(["bin", "home", "python"]);
      },
      TIMEOUT_MS,
    );
  }

  test("a server that has no list, or nothing that fits", async () => {
    using work = createWorkspace();
    using mirror = pythonMirror();
    const home = await user(work);
    const gone = `${mirror.url}/gone.json`;
    const none = await home.blast([
      "python",
      "install",
      "3.71",
      "--python-downloads-json-url",
      gone,
    ]);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining(gone)]);
    const list = offer(mirror, [{ version: "3.71.1" }]);
    const other = await home.blast([
      "python",
      "install",
      "3.99",
      "--python-downloads-json-url",
      list,
    ]);
    expect([other.code, other.stderr]).toEqual([
      1,
      "error: Cannot install Python 3.99: there is no build of it for this machine\n" +
        "hint: there are 3.71.1\n",
    ]);
  });
});

test(
  "list tells what is here and what can be installed; a kept list serves offline",
  async () => {
    using work = createWorkspace();
    using mirror = pythonMirror();
    const home = await user(work);
    const list = offer(mirror, [
      { version: "3.71.1" },
      { version: "3.71.2" },
      { version: "3.12.1" },
    ]);
    const args = ["python", "list", "--python-downloads-json-url", list];
    const { stdout } = await home.blast([...args, ">=3.71"]);
    expect(stdout).toBe(
      "Python          Found in          Path\ncpython 3.71.2  can be installed\n",
    );
    const json = (await home.blast([...args, "--json", "--all-versions"])).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(json[0]).toMatchObject({
      schema: "blast.python/1",
      installed: true,
      version: "3.12.1",
      place: "PATH",
      path: work.at("python/bin/python3"),
    });
    const missing = json.filter(({ installed }) => installed === false);
    expect(missing.map(({ version }) => version)).toEqual(["3.71.2", "3.71.1"]);
    mirror.files.clear();
    const asked = mirror.requests.length;
    expect((await home.blast([...args, ">=3.71", "--offline"])).stdout).toBe(stdout);
    expect(mirror.requests).toHaveLength(asked);
  },
  TIMEOUT_MS,
);

test(
  "pin is written, told, used and removed",
  async () => {
    using work = createWorkspace();
    const home = await user(work);
    fakePython(work, "home/.pyenv/versions/3.73.1", { version: "3.73.1" });
    const cwd = work.folder("project");
    const blast = async (...args: string[]): Promise<string> => {
      const { stdout, stderr } = await home.blast(["python", ...args], { cwd });
      return stdout + stderr;
    };
    expect(await blast("pin")).toContain("there is no .python-version here");
    expect(await blast("pin", "3.73")).toBe("Pinned Python 3.73 in .python-version\n");
    expect(readFileSync(`${cwd}/.python-version`, "utf8")).toBe("3.73\n");
    expect(await blast("pin")).toBe("3.73\n");
    expect(await blast("find")).toBe(`${work.at("home/.pyenv/versions/3.73.1/bin/python3")}\n`);
    expect(await blast("pin", "3.99")).toContain("warning: Cannot find Python 3.99");
    expect(await blast("pin", "--remove")).toBe("Removed .python-version\n");
    expect(existsSync(`${cwd}/.python-version`)).toBe(false);
  },
  TIMEOUT_MS,
);
