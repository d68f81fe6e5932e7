import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { binaryPath, type RunResult, runCommand } from "../support/binary.ts";
import { layRelease, serveBroken, serveFolder } from "../support/release-server.ts";
import { needsProgram, testUnless } from "../support/skip.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

const INSTALLER = resolve(import.meta.dir, "../../bin/install.sh");
const MUSL = readdirSync("/lib").some((name) => name.startsWith("ld-musl-"));
const PLATFORM = `${process.platform}-${process.arch}${MUSL ? "-musl" : ""}`;
/** What the installer calls beside its downloader. */
const TOOLS =
  "sh cat chmod cp cut head mkdir mktemp mv rm sed sha256sum tr uname ldd fish zsh bash";

let shelf: Workspace;
/** A folder with a release of the compiled executable for this machine. */
let release: string;

beforeAll(async () => {
  shelf = createWorkspace();
  release = shelf.folder("release");
  layRelease(release, PLATFORM, await binaryPath("triad"));
}, 60_000);

afterAll(() => shelf[Symbol.dispose]());

interface Call {
  readonly base?: string | undefined;
  readonly args?: string[];
  readonly home: string;
  readonly path?: string;
}

/** As `curl … | sh` does it: the script comes by stdin. */
async function install({ base, args = [], home, path }: Call): Promise<RunResult> {
  return await runCommand(["/bin/sh", "-s", "--", ...args], {
    stdin: readFileSync(INSTALLER),
    cwd: shelf.path,
    env: { HOME: home, TRIAD_BASE: base, ...(path === undefined ? {} : { PATH: path }) },
  });
}

/** A PATH of links to some tools only, with scripts in front of them. */
function pathWith(work: Workspace, names: string, scripts: Record<string, string> = {}): string {
  const folder = work.folder(`path-${Bun.hash(names + JSON.stringify(scripts)).toString(36)}`);
  for (const [name, body] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  for (const name of names.split(" ")) {
    const found = Bun.which(name);
    if (found !== null && !existsSync(join(folder, name))) symlinkSync(found, join(folder, name));
  }
  return folder;
}

function expectInstalled(folder: string): void {
  expect(statSync(join(folder, "triad")).mode & 0o777).toBe(0o755);
  expect(readlinkSync(join(folder, "blit"))).toContain("triad");
  expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
}

/** Nothing at all, not even an empty scratch folder, is left in the folder for executables. */
function expectNothing(folder: string): void {
  expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
}

describe("a good release", () => {
  test("from a local folder, into a HOME with spaces", async () => {
    using work = createWorkspace();
    const home = work.folder("a home with spaces");
    const result = await install({ base: release, home });
    expect(result).toMatchObject({ code: 0, stdout: "" });
    expect(result.stderr).toContain(`Installed triad 0.1.0`);
    expect(result.stderr).toContain(`export PATH="${home}/.local/bin:$PATH"`);
    expectInstalled(join(home, ".local/bin"));
    const version = await runCommand([join(home, ".local/bin/blit"), "--version"]);
    expect(version).toMatchObject({ code: 0, stderr: "" });
    expect(version.stdout).toMatch(/^blit \d+\.\d+\.\d+ /);
    expect(readdirSync(home)).toEqual([".local"]);
  });

  for (const downloader of ["curl", "wget"]) {
    testUnless(needsProgram(downloader))(`over HTTP by ${downloader} alone`, async () => {
      using work = createWorkspace();
      await using server = serveFolder(release);
      const path = pathWith(work, `${TOOLS} ${downloader}`);
      const home = work.folder("home");
      const result = await install({ base: `${server.url}/`, home, path });
      expect(result.stderr).toContain("Installed triad");
      expect(result.code).toBe(0);
      expectInstalled(join(home, ".local/bin"));
      expect(server.requests).toEqual([`/${PLATFORM}/triad.sha256`, `/${PLATFORM}/triad`]);
    });
  }

  test("with --prefix, absolute or relative, and without HOME", async () => {
    using work = createWorkspace();
    const absolute = work.at("opt/with space");
    const home = work.folder("home");
    expect(await install({ base: release, home, args: ["--prefix", absolute] })).toMatchObject({
      code: 0,
    });
    expectInstalled(join(absolute, "bin"));
    expectNothing(home);
    const relative = "relative prefix";
    const result = await install({ base: release, home: "", args: [`--prefix=${relative}`] });
    expect(result.code).toBe(0);
    expectInstalled(shelf.at(relative, "bin"));
  });

  test("again, over an executable that is running", async () => {
    using work = createWorkspace();
    const home = work.folder("home");
    const installed = join(home, ".local/bin/triad");
    expect((await install({ base: release, home })).code).toBe(0);
    const inode = statSync(installed).ino;
    // With BUN_BE_BUN the executable is plain Bun: one that runs for as long as we like.
    const running = Bun.spawn([installed, "-e", "console.log('up'); setInterval(() => {}, 1000)"], {
      env: { ...process.env, BUN_BE_BUN: "1" },
      stdout: "pipe",
    });
    try {
      const { value } = await running.stdout.getReader().read();
      expect(Buffer.from(value ?? []).toString()).toBe("up\n");
      const result = await install({ base: release, home });
      expect(result.stderr).toContain("Installed triad");
      expect(result.code).toBe(0);
      expect(statSync(installed).ino).not.toBe(inode);
      expect(running.exitCode).toBeNull();
      expectInstalled(join(home, ".local/bin"));
      const version = await runCommand([installed, "--version"]);
      expect(version.code).toBe(0);
    } finally {
      running.kill("SIGKILL");
      await running.exited;
    }
  });
});

describe("a bad release leaves nothing behind", () => {
  test("a download that differs from its checksum", async () => {
    using work = createWorkspace();
    work.write(`base/${PLATFORM}/triad`, "#!/bin/sh\necho evil\n");
    work.write(`base/${PLATFORM}/triad.sha256`, `${"a".repeat(64)}  triad\n`);
    await using server = serveFolder(work.at("base"));
    for (const base of [work.at("base"), server.url]) {
      const home = work.folder("home");
      const result = await install({ base, home });
      expect(result.code).toBe(1);
      expect(result.stderr).toContain("error: Cannot trust the download: SHA-256 is");
      expect(result.stderr).toContain("hint: nothing was installed");
      expectNothing(join(home, ".local/bin"));
    }
  });

  test("a checksum file that holds none", async () => {
    using work = createWorkspace();
    work.write(`base/${PLATFORM}/triad`, "x");
    work.write(`base/${PLATFORM}/triad.sha256`, "<html>Welcome to the hotel network</html>\n");
    const home = work.folder("home");
    const result = await install({ base: work.at("base"), home });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('"triad.sha256" holds no SHA-256');
    expectNothing(join(home, ".local/bin"));
  });

  test("a release without this platform", async () => {
    using work = createWorkspace();
    await using server = serveFolder(work.folder("empty"));
    const home = work.folder("home");
    const remote = await install({ base: server.url, home });
    expect(remote.code).toBe(1);
    const missing = `${server.url}/${PLATFORM}/triad.sha256`;
    expect(remote.stderr).toContain(`error: Cannot download "${missing}"`);
    expect(remote.stderr).toContain("hint: check TRIAD_BASE");
    const local = await install({ base: work.at("empty"), home });
    expect(local.code).toBe(1);
    expect(local.stderr).toContain(`no such file\nhint: TRIAD_BASE must hold`);
    expectNothing(join(home, ".local/bin"));
  });

  for (const downloader of ["curl", "wget"]) {
    testUnless(needsProgram(downloader))(
      `a connection that breaks, under ${downloader}`,
      async () => {
        using work = createWorkspace();
        await using server = serveBroken();
        const path = pathWith(work, `${TOOLS} ${downloader}`);
        const home = work.folder("home");
        const result = await install({ base: server.url, home, path });
        expect(result.code).toBe(1);
        expect(result.stderr).toContain(`Cannot download "${server.url}/${PLATFORM}/triad"`);
        expectNothing(join(home, ".local/bin"));
      },
      60_000,
    );
  }

  test("a script that was cut off does nothing", async () => {
    using work = createWorkspace();
    const script = readFileSync(INSTALLER, "utf8");
    const home = work.folder("home");
    for (const share of [0.3, 0.7, 0.999]) {
      await runCommand(["/bin/sh", "-s"], {
        stdin: script.slice(0, Math.floor((script.length - 10) * share)),
        env: { HOME: home, TRIAD_BASE: release },
      });
      expectNothing(home);
    }
  });

  test("a build that does not run here", async () => {
    using work = createWorkspace();
    const broken = work.write("broken", "#!/bin/sh\nexit 127\n");
    layRelease(work.at("base"), PLATFORM, broken);
    const home = work.folder("home");
    const result = await install({ base: work.at("base"), home });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`Cannot run the build for "${PLATFORM}" on this machine`);
    expectNothing(join(home, ".local/bin"));
  });
});

describe("what is missing is said", () => {
  test("no downloader", async () => {
    using work = createWorkspace();
    const path = pathWith(work, TOOLS);
    const result = await install({ base: "http://127.0.0.1:9", home: work.folder("h"), path });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("neither curl nor wget is installed\nhint: install one");
  });

  test("no TRIAD_BASE, no HOME, a wrong flag, a wrong value", async () => {
    using work = createWorkspace();
    const home = work.folder("home");
    const cases: [Call, string][] = [
      [{ home }, "error: Cannot tell where to install from: TRIAD_BASE is not set"],
      [{ home: "", base: release }, "error: Cannot tell where to install to: HOME is not set"],
      [{ home, base: release, args: ["--perfix"] }, 'error: Cannot use "--perfix": no such flag'],
      [{ home, base: release, args: ["--prefix"] }, 'Cannot use "--prefix": it needs a value'],
      [{ home, base: release, args: ["--completions=maybe"] }, "it is yes or no"],
    ];
    for (const [call, message] of cases) {
      const result = await install(call);
      expect(result.stderr).toContain(message);
      expect(result.code).toBe(2);
    }
    expectNothing(home);
  });

  test("a place that cannot be written", async () => {
    using work = createWorkspace();
    const file = work.write("file");
    const result = await install({ base: release, home: work.path, args: ["--prefix", file] });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`error: Cannot make the folder "${file}/bin"\nhint: choose`);
  });

  test("--help shows examples and changes nothing", async () => {
    using work = createWorkspace();
    const result = await install({ home: work.folder("home"), args: ["--help"] });
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(result.stdout).toContain("Examples:");
  });
});

describe("the platform", () => {
  const glibc = 'echo "ldd (GNU libc) 2.36"';
  const musl = 'echo "musl libc (x86_64)" >&2; exit 1';
  const machines: [string, string, Record<string, string>][] = [
    ["linux-x64", "Linux x86_64", { ldd: glibc }],
    ["linux-x64-musl", "Linux x86_64", { ldd: musl }],
    ["linux-arm64", "Linux aarch64", { ldd: glibc }],
    ["linux-arm64-musl", "Linux aarch64", { ldd: musl }],
    ["darwin-x64", "Darwin x86_64", { sysctl: "echo 0" }],
    ["darwin-arm64", "Darwin arm64", {}],
    ["darwin-arm64", "Darwin x86_64", { sysctl: "echo 1" }],
  ];
  for (const [platform, uname, scripts] of machines) {
    test(`${uname} ${JSON.stringify(scripts)} is ${platform}`, async () => {
      using work = createWorkspace();
      const path = pathWith(work, TOOLS, { ...scripts, ...fakeUname(uname) });
      const result = await install({ base: work.path, home: work.folder("home"), path });
      expect(result.stderr).toContain(`Cannot read "${work.path}/${platform}/triad.sha256"`);
    });
  }

  test("one without a build is named", async () => {
    using work = createWorkspace();
    const home = work.folder("home");
    for (const uname of ["Linux riscv64", "FreeBSD amd64", "MINGW64_NT-10.0 x86_64"]) {
      const path = pathWith(work, TOOLS, fakeUname(uname));
      const result = await install({ base: release, home, path });
      expect(result.code).toBe(1);
      expect(result.stderr).toContain(`error: Cannot install on "${uname}": no build for this`);
      expectNothing(home);
    }
  });

  function fakeUname(text: string): Record<string, string> {
    const [system, machine] = text.split(" ");
    return { uname: `case $1 in -s) echo ${system} ;; -m) echo ${machine} ;; esac` };
  }
});

describe("completions", () => {
  const shells = { bash: "bash-completion/completions/blit", zsh: "zsh/site-functions/_triad" };

  test("are written for the shells that are there when told so, and no rc file is", async () => {
    using work = createWorkspace();
    const home = work.folder("home");
    work.write("home/.bashrc", "mine");
    const path = pathWith(work, TOOLS);
    const args = ["--completions", "yes"];
    const result = await install({ base: release, home, path, args });
    expect(result.stderr).toContain("Installed triad");
    expect(result.code).toBe(0);
    for (const [shell, file] of Object.entries(shells)) {
      const full = join(home, ".local/share", file);
      const there = Bun.which(shell) !== null;
      expect(existsSync(full)).toBe(there);
      if (there) expect(readFileSync(full, "utf8")).toContain("blit");
    }
    if (Bun.which("fish") !== null) {
      expect(existsSync(join(home, ".config/fish/completions/blit.fish"))).toBe(true);
    }
    expect(readFileSync(join(home, ".bashrc"), "utf8")).toBe("mine");
  });

  for (const [answer, written] of [
    ["y", true],
    ["n", false],
    ["", false],
  ] as const) {
    test(`are offered on a terminal: "${answer}"`, async () => {
      using work = createWorkspace();
      const home = work.folder("home");
      const shown = await onTerminal(home, `${answer}\n`);
      expect(shown).toContain("Write completions for bash, zsh and fish");
      expect(shown).toContain("Installed triad");
      expect(existsSync(join(home, ".local/share/bash-completion"))).toBe(written);
    });
  }

  /** Runs the installer with a terminal of its own and types the answer to its question. */
  async function onTerminal(home: string, answer: string): Promise<string> {
    let shown = "";
    const child = Bun.spawn(["/bin/sh", INSTALLER], {
      cwd: shelf.path,
      env: { PATH: process.env["PATH"] ?? "", HOME: home, TRIAD_BASE: release },
      terminal: {
        data(terminal, bytes) {
          const before = shown.includes("[y/N]");
          shown += Buffer.from(bytes).toString();
          if (!before && shown.includes("[y/N]")) terminal.write(answer);
        },
      },
    });
    expect(await child.exited).toBe(0);
    return shown;
  }
});
