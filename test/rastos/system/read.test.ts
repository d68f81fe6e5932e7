import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { KERNEL_PROFILES } from "../../../src/rastos/kernel/profiles.ts";
import { parseSystemText, readSystemFile } from "../../../src/rastos/system/read.ts";
import { createWorkspace } from "../../support/workspace.ts";

const WHOLE = `
[system]
hostname = "atlas"
locale = "de_DE.UTF-8"
locales = ["en_US.UTF-8"]
timezone = "Europe/Berlin"
keymap = "de-latin1"

[packages]
official = ["vim", "nginx>=1.24", "gtk+=2:1.0-1"]
aur = ["paru#0123456789abcdef0123456789abcdef01234567"]
groups = ["base-devel"]
ignored = ["linux"]

[[repositories]]
name = "core"
servers = ["https://mirror.example/$repo/os/$arch"]
siglevel = "Required DatabaseOptional"

[services]
init = "systemd"
enable = ["sshd.service", "getty@tty1.service"]
disable = ["bluetooth"]

[[users]]
name = "ada"
uid = 1000
groups = ["wheel"]
shell = "/bin/bash"
ssh_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAabcdefghijklmnopqrstuvwxyz0123456789 a@b"]
password_hash = "$6$salt$abcdefghijklmnopqrstuvwxyz"

[kernel]
package = "linux"
cmdline = "quiet"

[boot]
loader = "grub"
timeout = 0
tries = 2

[hooks]
pre_install = ["true"]
post_install = ["echo done"]
`;

async function fault(text: string): Promise<string> {
  try {
    await parseSystemText("system.toml", text);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const causes = [error.message];
    for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
      causes.push(cause.message);
    }
    if (error.hint !== undefined) causes.push(`hint: ${error.hint}`);
    return causes.join("\n").replaceAll('": ', '":\n');
  }
  return "no fault";
}

describe("a system.toml", () => {
  test("is read whole", async () => {
    const { config, notes, form, text } = await parseSystemText("system.toml", WHOLE);
    expect(form).toBe("system");
    expect(text).toBe(WHOLE);
    expect(notes).toEqual([]);
    expect(config.system.hostname).toBe("atlas");
    expect(config.packages.official).toEqual(["vim", "nginx>=1.24", "gtk+=2:1.0-1"]);
    expect(config.users[0]?.groups).toEqual(["wheel"]);
    expect(config.boot).toEqual({ loader: "grub", timeout: 0, tries: 2 });
  });

  test("may name each kernel profile that there is", async () => {
    for (const { name } of KERNEL_PROFILES) {
      const { config } = await parseSystemText("system.toml", `[kernel]\nprofile = "${name}"\n`);
      expect(config.kernel.profile).toBe(name as typeof config.kernel.profile);
    }
  });

  test("that is empty declares nothing", async () => {
    const { config } = await parseSystemText("system.toml", "");
    expect(config).toMatchSnapshot();
  });

  test("from a file, which must be there", async () => {
    using work = createWorkspace();
    const path = join(work.path, "system.toml");
    expect(readSystemFile(path)).rejects.toThrow("no such file");
    writeFileSync(path, "[packages]\nofficial = ['vim']\n");
    expect((await readSystemFile(path)).config.packages.official).toEqual(["vim"]);
  });
});

describe("what is wrong is told with its place", () => {
  test("an unknown key, with the nearest one", async () => {
    expect(await fault('[system]\nhostnam = "x"\n')).toMatchInlineSnapshot(`
      "Cannot use "system.toml:2:1":
      unknown key "hostnam" in [system]
      hint: did you mean "hostname"?"
    `);
    expect(await fault('[package]\nofficial = ["vim"]\n')).toMatchInlineSnapshot(`
      "Cannot use "system.toml:1:2":
      unknown key "package"
      hint: did you mean "packages"?"
    `);
    expect(await fault('[[users]]\nname = "a"\nssh_key = []\n')).toMatchInlineSnapshot(`
      "Cannot use "system.toml:3:1":
      unknown key "ssh_key" in [users[0]]
      hint: did you mean "ssh_keys"?"
    `);
  });

  test("wrong values", async () => {
    expect(await fault('[system]\nhostname = "a b"\n')).toMatchInlineSnapshot(`
      "Cannot use "system.toml:2:12":
      "system.hostname" is the text "a b":
      must be a host name: letters, digits and hyphens, 63 at most between dots"
    `);
    expect(await fault('[packages]\nofficial = ["vim", "-rf"]\n')).toMatchInlineSnapshot(`
      "Cannot use "system.toml:2:20":
      "packages.official[1]" is the text "-rf":
      must be a package, as "name" or "name>=1.2""
    `);
    expect(await fault('[[users]]\nname = "../x"\n')).toMatchInlineSnapshot(`
      "Cannot use "system.toml:2:8":
      "users[0].name" is the text "../x":
      must be made of a-z, 0-9, "_" and "-", begin with a letter and have 31 at most"
    `);
    expect(await fault('[[users]]\nname = "a"\nhome = "/home/../etc"\n')).toMatchInlineSnapshot(`
      "Cannot use "system.toml:3:8":
      "users[0].home" is the text "/home/../etc":
      must be an absolute path without "..""
    `);
    expect(await fault("[[users]]\nuid = 7\n")).toMatchInlineSnapshot(`
      "Cannot use "system.toml:1:3":
      "users[0].name" is missing"
    `);
    expect(await fault('[system]\ntimezone = "../../etc/passwd"\n')).toMatchInlineSnapshot(`
      "Cannot use "system.toml:2:12":
      "system.timezone" is the text "../../etc/passwd":
      must be a time zone, as "Europe/Berlin""
    `);
  });

  test("a password is never shown", async () => {
    const text = await fault('[[users]]\nname = "a"\npassword_hash = "hunter2"\n');
    expect(text).not.toContain("hunter2");
    expect(text).toMatchInlineSnapshot(`
      "Cannot use "system.toml:3:17":
      "users[0].password_hash" must be a hash by \`openssl passwd -6\`, or "!" to lock the account"
    `);
    const number = await fault('[[users]]\nname = "a"\npassword_hash = 12345678\n');
    expect(number).not.toContain("12345678");
  });

  test("contradictions", async () => {
    const users = '[[users]]\nname = "a"\nuid = 7\n[[users]]\nname = "b"\nuid = 7\n';
    expect(await fault(users)).toMatchInlineSnapshot(`
      "Cannot use "system.toml:6":
      "a" and "b" have the same uid 7"
    `);
    expect(await fault('[[users]]\nname = "a"\n[[users]]\nname = "a"\n')).toMatchInlineSnapshot(`
      "Cannot use "system.toml:4":
      there are two users "a""
    `);
    expect(await fault('[[users]]\nname = "a"\nuid = 0\n')).toMatchInlineSnapshot(`
      "Cannot use "system.toml:3":
      uid 0 is root's, and root's is 0"
    `);
    expect(await fault('[services]\nenable = ["x"]\ndisable = ["x"]\n')).toMatchInlineSnapshot(`
      "Cannot use "system.toml:3":
      "x" is to be enabled and disabled"
    `);
    expect(
      await fault('[kernel]\npackage = "linux"\nprofile = "production"\n'),
    ).toMatchInlineSnapshot(`
      "Cannot use "system.toml:3":
      a kernel is a package or built by a profile, not both"
    `);
  });
});
