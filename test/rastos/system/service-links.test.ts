import { describe, expect } from "bun:test";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { RootFolder } from "../../../src/kit/fs/root-folder.ts";
import { carryOut } from "../../../src/rastos/system/root-view.ts";
import { enabledServices, planServices } from "../../../src/rastos/system/service-links.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const UNITS: Readonly<Record<string, string>> = {
  "sshd.service": "[Unit]\nDescription=x\n[Install]\nWantedBy=multi-user.target\n",
  "dbus-broker.service":
    "[Install]\nAlias=dbus.service messagebus.service\nWantedBy=multi-user.target\n",
  "getty@.service": "[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n",
  "many.service":
    "[Service]\nWantedBy=wrong.target\n[Install]\nWantedBy=a.target \\\n  b.target\n" +
    "RequiredBy=c.target\n# WantedBy=no.target\nAlso=sshd.service many.socket\n",
  "many.socket": "[Install]\nWantedBy=sockets.target\n",
  "reset.service": "[Install]\nWantedBy=a.target\nWantedBy=\nWantedBy=b.target\n",
  "tmpl@.service": "[Install]\nWantedBy=slice-%i.target\nAlias=other@%i.service\n",
  "static.service": "[Unit]\nDescription=nothing\n",
};

function root(): Workspace {
  const work = createWorkspace();
  for (const [name, text] of Object.entries(UNITS)) {
    work.write(`usr/lib/systemd/system/${name}`, text);
  }
  work.folder("etc/systemd/system");
  work.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  return work;
}

/** Every link below etc/systemd, with the name of what it leads to. */
function links(work: Workspace): string[] {
  const base = work.at("etc/systemd/system");
  const paths = readdirSync(base, { recursive: true }).map(String).sort();
  return paths.flatMap((path) => {
    try {
      return [`${path} -> ${readlinkSync(join(base, path)).replace(/^.*\//, "")}`];
    } catch {
      return [];
    }
  });
}

function ours(work: Workspace, enable: readonly string[], disable: readonly string[] = []): void {
  using folder = RootFolder.open(work.path);
  const wanted = { init: "systemd" as const, enable: [...enable], disable: [...disable] };
  carryOut(folder, planServices(folder, wanted, undefined).steps);
  expect(planServices(folder, wanted, undefined).steps).toEqual([]);
}

function theirs(work: Workspace, verb: "enable" | "disable", units: readonly string[]): void {
  const result = Bun.spawnSync(["systemctl", `--root=${work.path}`, verb, ...units]);
  expect(result.exitCode).toBe(0);
}

describe("as systemctl does it", () => {
  const test = testUnless(needsProgram("systemctl"));
  for (const unit of [
    "sshd",
    "dbus-broker.service",
    "getty@tty7.service",
    "getty@.service",
    "many.service",
    "reset",
    "tmpl@x.service",
    "static.service",
  ]) {
    test(`enabling and disabling ${unit}`, () => {
      using mine = root();
      using other = root();
      ours(mine, [unit]);
      theirs(other, "enable", [unit]);
      expect(links(mine)).toEqual(links(other));
      ours(mine, [], [unit]);
      theirs(other, "disable", [unit]);
      expect(links(mine)).toEqual(links(other));
      expect(existsSync(mine.at("usr/lib/systemd/system/sshd.service"))).toBe(true);
    });
  }
});

describe("reports", () => {
  testUnless(undefined)("what is enabled, what is masked and what nothing starts", () => {
    using work = root();
    ours(work, ["sshd", "many.service"]);
    using folder = RootFolder.open(work.path);
    expect(enabledServices(folder, "systemd")).toEqual([
      "many.service",
      "many.socket",
      "sshd.service",
    ]);
    folder.writeLink("etc/systemd/system/reset.service", "/dev/null");
    const wanted = { init: "systemd" as const, enable: ["reset", "static", "gone"], disable: [] };
    const plan = planServices(folder, wanted, undefined);
    expect(plan.missing).toEqual(["gone"]);
    expect(plan.notes).toEqual([
      '"reset.service" is masked (a link to /dev/null), so it cannot be enabled',
      '"static.service" has no [Install]: something else starts it, or nothing does',
    ]);
  });
});
