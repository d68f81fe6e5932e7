import { describe, expect, test } from "bun:test";
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { configureRoot } from "../../../src/rastos/system/configure.ts";
import { parseSystemText } from "../../../src/rastos/system/read.ts";
import type { ConfigurationReport } from "../../../src/rastos/system/types.ts";
import { needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const KEY = `ssh-ed25519 ${"A".repeat(68)} ada@box`;
const WHOLE = `
[system]
hostname = "atlas"
locale = "de_DE.UTF-8"
locales = ["en_US.UTF-8", "C.UTF-8"]
timezone = "Europe/Berlin"
keymap = "de-latin1"
[[repositories]]
name = "core"
servers = ["https://mirror.example/$repo"]
siglevel = "Never"
[services]
enable = ["web", "getty@tty1"]
disable = ["old"]
[[users]]
name = "ada"
groups = ["wheel"]
ssh_keys = ["${KEY}"]
password_hash = "$6$salt$0123456789abcdef"
`;

/** A root as a few packages leave it, next to a folder that is none of its business. */
function world(): Workspace & { readonly root: string } {
  const work = createWorkspace();
  const write = (path: string, text: string): string => work.write(`root/${path}`, text);
  write("etc/passwd", "root:x:0:0::/root:/bin/bash\n");
  write("etc/group", "root:x:0:root\nwheel:x:998:\n");
  work.write("root/etc/shadow", "root:*:19000::::::\n", { mode: 0o600 });
  write(
    "etc/locale.gen",
    "# Locales\n#de_DE.UTF-8 UTF-8  \n#en_US.UTF-8 UTF-8\n#fr_FR.UTF-8 UTF-8\n",
  );
  write(
    "etc/pacman.conf",
    "[options]\nArchitecture = auto\n\n[extra]\nServer = https://x.example\n",
  );
  write("etc/vconsole.conf", "FONT=lat9w-16\n");
  write("etc/skel/.bashrc", "# bash\n");
  write("usr/share/zoneinfo/Europe/Berlin", "TZif");
  write("usr/share/zoneinfo/Europe/Bern", "TZif");
  write("usr/lib/rinit/web.toml", 'exec = ["/usr/bin/web"]\n');
  write("usr/lib/rinit/getty@.toml", 'exec = ["/usr/bin/getty", "%i"]\n');
  write("usr/bin/bash", "");
  work.folder("root/etc/rinit/enabled");
  symlinkSync("/usr/lib/rinit/old.toml", work.at("root/etc/rinit/enabled/old.toml"));
  work.folder("root/home");
  return { ...work, root: work.at("root") };
}

async function configure(
  root: string,
  text: string,
  isDryRun = false,
): Promise<ConfigurationReport> {
  const { config } = await parseSystemText("system.toml", text);
  return await configureRoot(root, config, { systemText: text, isDryRun });
}

/** Names, rights, contents, and times of everything below a folder. */
function listing(root: string): string {
  const find = ["find", ".", "-printf", "%p %y %m %U %G %T@ %C@ %i %l\n"];
  const found = Bun.spawnSync(find, { cwd: root }).stdout.toString();
  const sums = "find . -type f -print0 | sort -z | xargs -0 sha256sum";
  const contents = Bun.spawnSync(["sh", "-c", sums], { cwd: root });
  return found.split("\n").sort().join("\n") + contents.stdout.toString();
}

describe("a root", () => {
  test("is brought in line, and a second run changes not a byte", async () => {
    using work = world();
    const { root } = work;
    const before = listing(root);
    const planned = await configure(root, WHOLE, true);
    expect(listing(root)).toBe(before);
    const report = await configure(root, WHOLE);
    expect(report).toEqual(planned);
    expect(report.changes.map(({ area, action, text }) => `${area}: ${action}: ${text}`)).toEqual([
      "hostname: create: host name atlas",
      "locale: change: locales +de_DE.UTF-8 +en_US.UTF-8",
      "locale: create: locale de_DE.UTF-8",
      "timezone: create: time zone Europe/Berlin",
      "keymap: change: keymap de-latin1",
      "repositories: change: repositories +core -extra",
      "users: create: add the user ada: uid 1000, home /home/ada, shell /bin/bash, " +
        "into the group wheel",
      "services: create: enable the service web",
      "services: create: enable the service getty@tty1",
      "services: remove: disable the service old",
      "users: create: make the home folder /home/ada",
      "ssh keys: change: 1 key that may log in as ada",
      "system.toml: create: keep the new system.toml",
    ]);
    expect(report.programs).toEqual([["locale-gen"]]);
    expect(JSON.stringify(report)).not.toContain("$6$");
    const after = listing(root);
    expect((await configure(root, WHOLE)).changes).toEqual([]);
    expect(listing(root)).toBe(after);
  });

  test("holds what was declared", async () => {
    using work = world();
    await configure(work.root, WHOLE);
    const read = (path: string): string => readFileSync(work.at("root", path), "utf8");
    expect(read("etc/hostname")).toBe("atlas\n");
    expect(read("etc/locale.conf")).toBe("LANG=de_DE.UTF-8\n");
    expect(read("etc/locale.gen")).toBe(
      "# Locales\nde_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n#fr_FR.UTF-8 UTF-8\n",
    );
    expect(readlinkSync(work.at("root/etc/localtime"))).toBe("../usr/share/zoneinfo/Europe/Berlin");
    expect(read("etc/vconsole.conf")).toBe("FONT=lat9w-16\nKEYMAP=de-latin1\n");
    expect(read("etc/pacman.conf")).toBe(
      "[options]\nArchitecture = auto\n\n[core]\nSigLevel = Never\n" +
        "Server = https://mirror.example/$repo\n",
    );
    expect(readlinkSync(work.at("root/etc/rinit/enabled/web.toml"))).toBe(
      "/usr/lib/rinit/web.toml",
    );
    expect(readlinkSync(work.at("root/etc/rinit/enabled/getty@tty1.toml"))).toBe(
      "/usr/lib/rinit/getty@.toml",
    );
    expect(() => lstatSync(work.at("root/etc/rinit/enabled/old.toml"))).toThrow();
    expect(read("home/ada/.bashrc")).toBe("# bash\n");
    expect(read("home/ada/.ssh/authorized_keys")).toBe(`${KEY}\n`);
    expect(statSync(work.at("root/etc/shadow")).mode & 0o777).toBe(0o600);
    expect(statSync(work.at("root/etc/rastos/system.toml")).mode & 0o777).toBe(0o600);
    expect(statSync(work.at("root/home/ada/.ssh")).mode & 0o777).toBe(0o700);
    expect(statSync(work.at("root/home/ada/.ssh/authorized_keys")).mode & 0o777).toBe(0o600);
    expect(statSync(work.at("root/home/ada")).mode & 0o777).toBe(0o700);
  });

  testUnless(needsRoot())(
    "gives home folders to their owners, and mends their rights",
    async () => {
      using work = world();
      await configure(work.root, WHOLE);
      for (const path of ["", ".bashrc", ".ssh", ".ssh/authorized_keys"]) {
        const { uid, gid } = statSync(work.at("root/home/ada", path));
        expect([uid, gid]).toEqual([1000, 1000]);
      }
      Bun.spawnSync(["chmod", "777", work.at("root/home/ada/.ssh")]);
      Bun.spawnSync(["chown", "0:0", work.at("root/home/ada/.ssh/authorized_keys")]);
      const { changes } = await configure(work.root, WHOLE);
      expect(changes.map(({ area }) => area)).toEqual(["ssh keys"]);
      expect(statSync(work.at("root/home/ada/.ssh")).mode & 0o777).toBe(0o700);
      expect(statSync(work.at("root/home/ada/.ssh/authorized_keys")).uid).toBe(1000);
    },
  );

  test("loses what was declared and is no more, and keeps the rest", async () => {
    using work = world();
    await configure(work.root, WHOLE);
    const fewer = '[system]\nhostname = "atlas"\nlocale = "de_DE.UTF-8"\n';
    const { changes } = await configure(work.root, fewer);
    expect(changes.map(({ text }) => text)).toEqual([
      "locales -en_US.UTF-8",
      "remove the user ada: its home /home/ada stays",
      "disable the service web",
      "disable the service getty@tty1",
      "keep the new system.toml",
    ]);
    expect(readFileSync(work.at("root/home/ada/.bashrc"), "utf8")).toBe("# bash\n");
    expect(readFileSync(work.at("root/etc/passwd"), "utf8")).toBe("root:x:0:0::/root:/bin/bash\n");
    // He comes back as the owner of what he left.
    const { changes: again } = await configure(work.root, WHOLE);
    expect(again.map(({ text }) => text)).toContain(
      "add the user ada: uid 1000, home /home/ada, shell /bin/bash, into the group wheel",
    );
  });

  test("that is empty is filled", async () => {
    using work = createWorkspace();
    const { config } = await parseSystemText(
      "system.toml",
      '[system]\nhostname = "x"\n[[users]]\nname = "a"\n',
    );
    await configureRoot(work.path, config);
    expect(readFileSync(work.at("etc/passwd"), "utf8")).toBe(
      "root:x:0:0::/root:/bin/sh\na:x:1000:1000::/home/a:/bin/sh\n",
    );
    expect(statSync(work.at("etc/shadow")).mode & 0o777).toBe(0o600);
    expect((await configureRoot(work.path, config)).changes).toEqual([]);
  });
});

describe("what cannot be is refused", () => {
  test("a service that there is not, with the nearest", async () => {
    using work = world();
    const before = listing(work.root);
    const text = '[services]\nenable = ["wb"]\n';
    expect(configure(work.root, text)).rejects.toThrow(
      'Cannot enable the service "wb": rinit has none of that name',
    );
    expect(listing(work.root)).toBe(before);
    const planned = await configure(work.root, text, true);
    expect(planned.changes[0]?.text).toBe("enable the service wb, once a package brings it");
  });

  test("an unknown time zone, if the system knows any", async () => {
    using work = world();
    const text = '[system]\ntimezone = "Europe/Berlim"\n';
    expect(configure(work.root, text)).rejects.toMatchObject({
      code: "E_NOT_FOUND",
      hint: 'did you mean "Europe/Berlin"?',
    });
    rmSync(work.at("root/usr/share/zoneinfo"), { recursive: true });
    const { notes } = await configure(work.root, text);
    expect(notes[0]).toContain("tzdata");
  });

  test("accounts that somebody else is changing", async () => {
    using work = world();
    writeFileSync(work.at("root/etc/shadow.lock"), `${process.ppid}\0`);
    const text = '[[users]]\nname = "a"\n';
    expect(configure(work.root, text)).rejects.toMatchObject({ code: "E_LOCKED" });
    // One that is left over from a process that has gone is taken over.
    const gone = Bun.spawnSync(["true"]).pid;
    writeFileSync(work.at("root/etc/shadow.lock"), `${gone}\0`);
    await configure(work.root, text);
    expect(readFileSync(work.at("root/etc/passwd"), "utf8")).toContain("a:x:1000:");
    expect(() => lstatSync(work.at("root/etc/shadow.lock"))).toThrow();
  });
});

describe("nothing outside of the root is touched", () => {
  test("where its files and folders are links that lead out", async () => {
    using work = world();
    for (const name of ["hostname", "passwd", "shadow", "group", "locale.conf", "pacman.conf"]) {
      work.write(`host/${name}`, "host\n");
      rmSync(work.at("root/etc", name), { force: true });
      symlinkSync(work.at("host", name), work.at("root/etc", name));
    }
    work.folder("host/enabled");
    rmSync(work.at("root/etc/rinit/enabled"), { recursive: true });
    symlinkSync(work.at("host/enabled"), work.at("root/etc/rinit/enabled"));
    mkdirSync(work.at("root/home/ada"));
    work.folder("host/ssh");
    symlinkSync(work.at("host/ssh"), work.at("root/home/ada/.ssh"));
    const before = listing(work.at("host"));
    await configure(work.root, WHOLE).catch(() => undefined);
    await configure(work.root, '[system]\nhostname = "x"\n[[users]]\nname = "eve"\n');
    expect(listing(work.at("host"))).toBe(before);
    expect(readFileSync(work.at("root/etc/hostname"), "utf8")).toBe("x\n");
  });

  test("nor what a user links to in his home folder", async () => {
    using work = world();
    mkdirSync(work.at("root/home/ada"));
    symlinkSync("/etc", work.at("root/home/ada/.ssh"));
    expect(configure(work.root, WHOLE)).rejects.toMatchObject({ code: "E_REFUSED" });
    expect(() => lstatSync(work.at("root/etc/authorized_keys"))).toThrow();
  });
});
