import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadDaemonSettings } from "../../../src/blit/daemon/settings.ts";
import type { Fault } from "../../../src/kit/fault/fault.ts";

const folder = mkdtempSync(join(tmpdir(), "blitd-settings-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function write(text: string): string {
  const path = join(folder, `${files++}.toml`);
  writeFileSync(path, text);
  return path;
}

async function problem(text: string): Promise<string> {
  const fault = await loadDaemonSettings({ config: write(text) }).then(
    () => undefined,
    (error: Fault) => error,
  );
  return `${fault?.code}: ${fault?.message}`;
}

test("flags come before the file, the file before the defaults", async () => {
  const config = write(`
    [daemon]
    bind = "127.0.0.1"
    port = 1000
    motd = "hello"
    [[module]]
    name = "photos"
    path = "/srv/photos"
    read_only = true
    run_as = "root"
    users = ["anna"]
    hosts_allow = ["10.0.0.0/8"]
  `);
  const settings = await loadDaemonSettings({ config, port: 2000, noMdns: true });
  expect(settings).toMatchObject({
    bind: "127.0.0.1",
    port: 2000,
    dataPort: 0,
    motd: "hello",
    isAdvertised: false,
    hasImplicitRoot: false,
    drainMs: 30_000,
    hosts: { allow: undefined, deny: [] },
    modules: [
      {
        name: "photos",
        path: "/srv/photos",
        readOnly: true,
        useChroot: false,
        runAs: { uid: 0, gid: 0 },
        users: ["anna"],
        connectionsMax: 64,
      },
    ],
  });
});

test("without modules and root the working folder is offered, and that is told", async () => {
  const settings = await loadDaemonSettings({ config: write("") });
  expect(settings.hasImplicitRoot).toBe(true);
  expect(settings.modules).toMatchObject([{ name: "", path: process.cwd() }]);
});

test("a root is offered beside modules", async () => {
  const config = write('[daemon]\nroot_read_only = true\n[[module]]\nname="m"\npath="/m"\n');
  const settings = await loadDaemonSettings({ config, root: "/srv" });
  expect(settings.hasImplicitRoot).toBe(false);
  expect(settings.modules).toMatchObject([
    { name: "", path: "/srv", readOnly: true },
    { name: "m", path: "/m", readOnly: false },
  ]);
});

test.each([
  ['[[module]]\nname="a"\npath="/a"\n[[module]]\nname="a"\npath="/b"\n', "is there twice"],
  ['[[module]]\nname="a/b"\npath="/a"\n', "letters, digits"],
  ['[[module]]\nname=".."\npath="/a"\n', "letters, digits"],
  ['[[module]]\nname="a"\npath="a"\n', "absolute path"],
  ["[daemon]\nconnections_max = 0\n", "connections_max"],
  ["[daemon]\nport = 65536\n", "port"],
  ["[daemon]\nprot = 1\n", 'did you mean "port"'],
  ['[daemon]\nhosts_allow = ["1.2.3.4/99"]\n', '"1.2.3.4/99" is no address'],
  ['[daemon.tls]\ncertificate = "x.pem"\n', 'needs both "certificate" and "key"'],
  ['[[module]]\nname="a"\npath="/a"\nrun_as="nobody-of-that-name"\n', "there is no user"],
])("%j is not taken", async (text, message) => {
  const told = await loadDaemonSettings({ config: write(text) }).then(
    () => "",
    (error: Fault) => `${error.code} ${error.message} ${error.hint}`,
  );
  expect(told).toStartWith("E_CONFIG");
  expect(told).toContain(message);
});

test("a file that was named has to be there", async () => {
  expect(await problem("[daemon]\nbind = 1\n")).toStartWith("E_CONFIG");
  const missing = loadDaemonSettings({ config: join(folder, "none.toml") });
  await expect(missing).rejects.toMatchObject({ code: "E_NOT_FOUND" });
});
