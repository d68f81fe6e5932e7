import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { RootFolder } from "../../../src/kit/fs/root-folder.ts";
import { keepIdentity } from "../../../src/rastos/deploy/identity.ts";
import { createWorkspace } from "../../support/workspace.ts";

const ID = "0123456789abcdef0123456789abcdef";

test("the machine's number and its host keys go along, with their rights, and nothing else", () => {
  using work = createWorkspace();
  work.write("old/etc/machine-id", `${ID}\n`);
  work.write("old/etc/ssh/ssh_host_ed25519_key", "secret", { mode: 0o600 });
  work.write("old/etc/ssh/ssh_host_ed25519_key.pub", "public", { mode: 0o644 });
  work.write("old/etc/ssh/sshd_config", "Port 22\n");
  work.write("new/etc/machine-id", "");
  using from = RootFolder.open(work.at("old"));
  using to = RootFolder.open(work.at("new"));
  expect(keepIdentity(from, to)).toEqual([
    "etc/machine-id",
    "etc/ssh/ssh_host_ed25519_key",
    "etc/ssh/ssh_host_ed25519_key.pub",
  ]);
  expect(readFileSync(work.at("new/etc/machine-id"), "utf8")).toBe(`${ID}\n`);
  expect(statSync(work.at("new/etc/ssh/ssh_host_ed25519_key")).mode & 0o777).toBe(0o600);
  expect(statSync(work.at("new/etc/ssh/ssh_host_ed25519_key.pub")).mode & 0o777).toBe(0o644);
  expect(existsSync(work.at("new/etc/ssh/sshd_config"))).toBe(false);
  expect(keepIdentity(from, to)).toEqual([]);
});

test("what the new one has stays, and no link leads out of it", () => {
  using work = createWorkspace();
  work.write("old/etc/machine-id", "uninitialized\n");
  work.write("old/etc/ssh/ssh_host_rsa_key", "old", { mode: 0o600 });
  work.write("outside/kept", "");
  work.write("new/etc/machine-id", `${ID}\n`);
  symlinkSync(work.at("outside"), work.at("new/etc/ssh"));
  using from = RootFolder.open(work.at("old"));
  using to = RootFolder.open(work.at("new"));
  expect(() => keepIdentity(from, to)).toThrow();
  expect(existsSync(work.at("outside/ssh_host_rsa_key"))).toBe(false);
  expect(readFileSync(work.at("new/etc/machine-id"), "utf8")).toBe(`${ID}\n`);
});
