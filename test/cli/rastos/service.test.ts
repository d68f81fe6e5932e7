import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { defaultServices } from "../../../src/rastos/service/default-services.ts";
import { runCommand, runTool } from "../../support/binary.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(60_000);

const service = (...args: string[]) => runTool("rastos", ["service", ...args]);

/** A root with what every system begins with, and one service more. */
function makeRoot(work: Workspace): string {
  for (const { path, content } of defaultServices()) work.write(`root/${path}`, content);
  work.write("root/etc/rinit/web.toml", 'description = "The web"\nexec = ["/bin/true"]\n');
  return work.at("root");
}

test("without rinit it is said what to do", async () => {
  using work = createWorkspace();
  const socket = work.at("none.sock");
  const hint = `start one with "rastos init --supervise", or name its socket with --socket`;
  expect(await service("status", "--socket", socket)).toEqual({
    code: 1,
    stdout: "",
    stderr: `error: Cannot talk to rinit: none is running at "${socket}"\nhint: ${hint}\n`,
  });
  const reboot = await runTool("rastos", ["reboot", "--socket", socket]);
  expect([reboot.code, reboot.stderr.includes("none is running")]).toEqual([1, true]);
  const init = await runTool("rastos", ["init"]);
  expect([init.code, init.stderr.split("\n")[0]]).toEqual([
    1,
    "error: Cannot run as init: this is not process 1",
  ]);
});

test("services of a root are listed, enabled and disabled", async () => {
  using work = createWorkspace();
  const root = makeRoot(work);
  const dry = await service("enable", "web", "--root", root, "--dry-run");
  expect([dry.code, dry.stderr]).toEqual([0, "would enable web\n"]);
  expect((await service("enable", "web", "--root", root)).stderr).toBe("web is enabled\n");
  const listed = await service("list", "--root", root);
  expect(listed.stdout).toMatch(/^web +yes +off +The web$/m);
  const json = await service("disable", "web", "--root", root, "--json");
  expect(JSON.parse(json.stdout)).toEqual({
    schema: "rastos.service-link/1",
    service: "web",
    path: "etc/rinit/enabled/web.toml",
    action: "disable",
  });
  const other = await service("disable", "mounts", "--root", root);
  expect(other.stderr).toContain('warning: basic still wants "mounts"');
  const missing = await service("enable", "wbe", "--root", root);
  expect([missing.code, missing.stderr]).toEqual([
    1,
    `error: Cannot enable "wbe": no file defines it in "${root}"\n` +
      "hint: services are files such as /etc/rinit/NAME.toml; see rastos service list\n",
  ]);
});

test("files are checked before a boot depends on them", async () => {
  using work = createWorkspace();
  const root = makeRoot(work);
  const good = await service("check", "--root", root);
  expect([good.code, good.stdout]).toEqual([0, ""]);
  work.write("root/etc/rinit/typo.toml", 'exec = ["a"]\nrestrat = "always"\n');
  work.write("root/etc/rinit/lost.toml", 'exec = ["a"]\nrequires = ["nothing"]\n');
  work.write("root/etc/rinit/one.toml", 'exec = ["a"]\nrequires = ["two"]\n');
  work.write("root/etc/rinit/two.toml", 'exec = ["a"]\nrequires = ["one"]\n');
  const bad = await service("check", "--root", root);
  expect([bad.code, bad.stderr.replaceAll(root, "")]).toEqual([
    1,
    [
      'error: Cannot use "/etc/rinit/typo.toml:2:1": unknown key "restrat"',
      'hint: did you mean "restart"?',
      'error: Cannot start "lost": it requires "nothing", which no file defines',
      'error: Cannot order "one": it waits for itself: one -> two -> one',
      "",
    ].join("\n"),
  ]);
  expect((await service("check", "web", "--root", root)).code).toBe(0);
});

testUnless(needsProgram("systemd-analyze"))("units are what systemd takes", async () => {
  using work = createWorkspace();
  const root = makeRoot(work);
  work.write(
    "root/etc/rinit/all.toml",
    `description = "Everything at once"
type = "notify"
exec = ["/bin/sleep", "1 0", "$x", "%h", 'a"b']
pre = [["/bin/true"]]
post = [["/bin/true", "-a"]]
user = "daemon"
groups = ["nogroup"]
environment = { A = "x y", B = "%n" }
environment_files = ["-/etc/default/x"]
requires = ["web"]
conflicts = ["rescue-shell"]
watchdog = "1m"
reload_signal = "HUP"
restart = "always"
oom_score_adjust = 5
nice = 2
[limits]
nofile = 10
memory = "1G"
cpu = "50%"
pids = 9
`,
  );
  work.folder("units");
  const written = await service("emit", "--systemd", work.at("units"), "--root", root);
  expect(written.code).toBe(0);
  const units = readdirSync(work.at("units"));
  expect(units).toContain("all.service");
  expect(units).not.toContain("multi-user.target");
  const wanted = ["all.service", "web.service", "basic.target", "getty@console.service"];
  const paths = wanted.map((name) => work.at("units", name));
  // What is not installed here is no fault of the unit's.
  const verified = await runCommand(["systemd-analyze", "verify", "--man=no", ...paths]);
  const complaints = verified.stderr.split("\n").filter((line) => line.includes(work.path));
  expect(complaints).toEqual([]);
});
