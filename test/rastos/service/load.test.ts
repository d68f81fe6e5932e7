import { expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { loadServices } from "../../../src/rastos/service/load.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** Writes service files below a root, and loads them. */
async function load(
  work: Workspace,
  files: Record<string, string>,
  instances: readonly string[] = [],
) {
  for (const [path, text] of Object.entries(files)) work.write(`root/${path}.toml`, text);
  return await loadServices({ root: work.at("root") }, instances);
}

test("what is in /etc overrides single keys of what a package brings", async () => {
  using work = createWorkspace();
  const { services, faults } = await load(work, {
    "usr/lib/rinit/web": 'exec = ["web"]\nstop_timeout = "5s"\n[log]\nkeep = 2\n',
    "etc/rinit/web": 'stop_timeout = "1m"\n[log]\nsize_max = "2M"\n',
    "etc/rinit/own": 'shell = "echo a | cat"\n',
    "usr/lib/rinit/off": 'exec = ["x"]\n',
    "etc/rinit/off": "disabled = true\n",
  });
  expect([...faults.keys()]).toEqual([]);
  expect([...services.keys()].sort()).toEqual(["own", "web"]);
  expect(services.get("web")).toMatchObject({
    command: ["web"],
    stop_timeout: 60_000,
    log: { keep: 2, size_max: 2 << 20 },
    files: [work.at("root/usr/lib/rinit/web.toml"), work.at("root/etc/rinit/web.toml")],
  });
  expect(services.get("own")?.command).toEqual(["/bin/sh", "-c", "echo a | cat"]);
});

test("a template makes what is asked for, and what others want", async () => {
  using work = createWorkspace();
  const { services } = await load(
    work,
    {
      "usr/lib/rinit/getty@": 'exec = ["getty", "%i", "100%%"]\ntty = "/dev/%i"\n',
      "usr/lib/rinit/default": 'type = "target"\nwants = ["getty@tty1"]\n',
      "etc/rinit/getty@tty2": "nice = 3\n",
    },
    ["getty@tty3"],
  );
  expect([...services.keys()].sort()).toEqual([
    "default",
    "getty@tty1",
    "getty@tty2",
    "getty@tty3",
  ]);
  expect(services.get("getty@tty1")).toMatchObject({
    command: ["getty", "tty1", "100%"],
    tty: "/dev/tty1",
  });
  expect(services.get("getty@tty2")).toMatchObject({ nice: 3, command: ["getty", "tty2", "100%"] });
});

test.each([
  ["exec = 3", 'x.toml:1:8": "exec" is 3, but must be a list in [ ]'],
  ['exec = ["a"]\nrestrat = "always"', 'x.toml:2:1": unknown key "restrat"'],
  [
    'exec = ["a"]\nstop_timeout = "soon"',
    '"stop_timeout" is the text "soon": it is not a duration',
  ],
  ['exec = ["a"]\nrestart = "often"', 'must be "always" or "on-failure" or "never"'],
  ['exec = ["a"]\nshell = "a"', 'it has both "exec" and "shell"'],
  ["nice = 1", 'it has no "exec"'],
  ['type = "target"\nexec = ["a"]', "a target runs nothing"],
  ['type = "forking"\nexec = ["a"]', 'needs "pid_file"'],
  ['exec = ["a"]\nready = { tcp = "1", delay = "1s" }', "only one is possible"],
  ['type = "notify"\nexec = ["a"]\nready.delay = "1s"', '"ready" is for type "simple"'],
  ['type = "oneshot"\nexec = ["a"]\nrestart = "always"', "cannot have restart"],
  ['exec = ["a"]\nrequires = ["../b"]', "a name has letters"],
  ['exec = ["a\\u0000b"]', "NUL"],
  ["exec = [", "x.toml:1:"],
])("of the file %j it is told: %s", async (text, expected) => {
  using work = createWorkspace();
  const { services, faults } = await load(work, {
    "etc/rinit/x": text,
    "etc/rinit/good": 'exec = ["a"]',
  });
  const fault = faults.get("x");
  expect(`${fault?.code} ${fault?.message}`).toContain("E_CONFIG");
  expect(fault?.message).toContain(expected);
  expect([...services.keys()]).toEqual(["good"]);
});

test("a link in a root does not lead out of it", async () => {
  using work = createWorkspace();
  work.write("outside/evil.toml", 'exec = ["evil"]');
  work.write("root/etc/rinit/good.toml", 'exec = ["good"]');
  symlinkSync(work.at("outside/evil.toml"), join(work.at("root/etc/rinit"), "evil.toml"));
  const { services } = await loadServices({ root: work.at("root") });
  expect([...services.keys()]).toEqual(["good"]);
});
