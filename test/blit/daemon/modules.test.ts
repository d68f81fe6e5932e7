import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RESOLVE } from "../../../ffi/abi/open-how.ts";
import type { Peer } from "../../../src/blit/control/calls.ts";
import { parseHostRules } from "../../../src/blit/daemon/host-rules.ts";
import { type ModuleSettings, ModuleTable } from "../../../src/blit/daemon/modules.ts";

const folder = mkdtempSync(join(tmpdir(), "blitd-modules-"));
mkdirSync(join(folder, "data"));
symlinkSync("data", join(folder, "link"));
afterAll(() => rmSync(folder, { recursive: true }));

const nobody: Peer = {
  address: "10.0.0.1",
  port: 1,
  isEncrypted: false,
  certificateSha256: undefined,
  certificateName: undefined,
  tokenName: undefined,
};

function hosts(allow: readonly string[] | undefined, deny: readonly string[] = []) {
  const rules = parseHostRules(allow, deny);
  if (typeof rules === "string") throw new Error(rules);
  return rules;
}

function module(change: Partial<ModuleSettings> = {}): ModuleSettings {
  return {
    name: "m",
    path: join(folder, "data"),
    comment: "",
    readOnly: false,
    useChroot: false,
    runAs: undefined,
    users: undefined,
    hosts: hosts(undefined),
    connectionsMax: 2,
    ...change,
  };
}

describe("who may use a module", () => {
  test.each([
    [{}, nobody, "read", "in"],
    [{}, nobody, "write", "in"],
    [{ readOnly: true }, nobody, "read", "in"],
    [{ readOnly: true }, nobody, "write", "E_REFUSED"],
    [{ name: "other" }, nobody, "read", "E_NOT_FOUND"],
    [{ hosts: hosts(["192.0.2.0/24"]) }, nobody, "read", "E_NOT_FOUND"],
    [{ hosts: hosts(undefined, ["10.0.0.1"]) }, nobody, "read", "E_NOT_FOUND"],
    [{ users: [] }, nobody, "read", "E_AUTH"],
    [{ users: ["anna"] }, nobody, "read", "E_AUTH"],
    [{ users: ["anna"] }, { ...nobody, tokenName: "anna" }, "write", "in"],
    [{ users: ["anna"] }, { ...nobody, tokenName: "Anna" }, "read", "E_AUTH"],
    // The name in a certificate is not the name of a token.
    [{ users: ["anna"] }, { ...nobody, certificateName: "anna" }, "read", "E_AUTH"],
    [{ users: ["sha256:AB:01"] }, { ...nobody, certificateSha256: "ab01" }, "read", "in"],
    [{ users: ["sha256:ab02"] }, { ...nobody, certificateSha256: "ab01" }, "read", "E_AUTH"],
    [{ path: "/there/is/none" }, nobody, "read", "E_NOT_FOUND"],
  ] as const)("%j", async (change, peer, access, outcome) => {
    const table = new ModuleTable([module(change as Partial<ModuleSettings>)]);
    const told = await table.enter(peer, "m", access).then(
      (lease) => {
        lease[Symbol.dispose]();
        return "in";
      },
      (fault) => fault.code,
    );
    expect(told).toBe(outcome);
  });

  test("the daemon's own rules hold for every module", async () => {
    const table = new ModuleTable([module()], hosts(["192.0.2.0/24"]));
    await expect(table.enter(nobody, "m", "read")).rejects.toMatchObject({ code: "E_NOT_FOUND" });
    expect(await table.visibleTo(nobody)).toEqual([]);
    table.replace([module()], hosts(undefined));
    expect((await table.visibleTo(nobody)).map(({ name }) => name)).toEqual(["m"]);
  });

  test("what one may not use one does not see; the default export has no name", async () => {
    const table = new ModuleTable([
      module({ name: "" }),
      module({ users: [] }),
      module({ name: "b" }),
    ]);
    expect((await table.visibleTo(nobody)).map(({ name }) => name)).toEqual(["b"]);
    expect(await table.isVisible("", nobody)).toBe(true);
    expect(await table.isVisible("m", nobody)).toBe(false);
  });
});

test("so many at a time, and a place that is given back can be had again", async () => {
  const table = new ModuleTable([module()]);
  const leases = [await table.enter(nobody, "m", "read"), await table.enter(nobody, "m", "read")];
  await expect(table.enter(nobody, "m", "read")).rejects.toThrow("2 transfers use it already");
  leases[0]?.[Symbol.dispose]();
  leases[0]?.[Symbol.dispose]();
  (await table.enter(nobody, "m", "read"))[Symbol.dispose]();
  const again = await table.enter(nobody, "m", "read");
  await expect(table.enter(nobody, "m", "read")).rejects.toMatchObject({ code: "E_REFUSED" });
  again[Symbol.dispose]();
  leases[1]?.[Symbol.dispose]();
});

test("the kernel keeps paths below the folder; the operator's own path may be a link", async () => {
  const table = new ModuleTable([
    module({ path: join(folder, "link") }),
    module({ name: "c", useChroot: true }),
  ]);
  using plain = await table.enter(nobody, "m", "read");
  expect(readlinkSync(`/proc/self/fd/${plain.base.fd}`)).toBe(join(folder, "data"));
  expect(plain.base.resolve).toBe(RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS);
  expect(plain.base.confine).toBeUndefined();
  using rooted = await table.enter(nobody, "c", "read");
  expect(rooted.base.resolve).toBe(RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS);
});
