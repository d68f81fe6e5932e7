import { expect, setDefaultTimeout } from "bun:test";
import { chmodSync, chownSync, readdirSync, readFileSync, statSync } from "node:fs";
import { runCommand } from "../../support/binary.ts";
import { nobody, runAsNobody } from "../../support/nobody.ts";
import { firstReason, testUnless } from "../../support/skip.ts";
import { differences, treeToolsMissing } from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

/** Folders that their owner may not write in, as a module cache has them, copied by that owner. */

const reason = firstReason(nobody.reason, treeToolsMissing());

/** A shell script as nobody, in the workspace. */
async function script(work: Workspace, text: string): Promise<void> {
  const drop = ["setpriv", `--reuid=${nobody.id}`, `--regid=${nobody.id}`, "--clear-groups"];
  const done = await runCommand([...drop, "sh", "-ec", text], { cwd: work.path });
  if (done.code !== 0) throw new Error(done.stderr);
}

async function makeSource(work: Workspace): Promise<void> {
  chmodSync(work.path, 0o755);
  chownSync(work.path, nobody.id, nobody.id);
  await script(
    work,
    `mkdir -p src/closed/below src/other
    echo one >src/closed/file; echo two >src/closed/below/plain
    ln src/closed/file src/closed/second; ln src/closed/file src/other/third
    chmod 555 src/closed/below src/closed src/other`,
  );
}

const modes = (work: Workspace): number[] =>
  ["closed", "closed/below", "other"].map((name) => statSync(work.at("dst", name)).mode & 0o777);

testUnless(reason)(
  "files of several names are linked in them, and their mode is kept",
  async () => {
    using work = createWorkspace();
    await makeSource(work);
    const run = await runAsNobody(["copy", `${work.at("src")}/`, work.at("dst")]);
    expect([run.code, run.stderr]).toEqual([0, run.stderr]);
    expect(differences(work.at("src"), work.at("dst"))).toBe("");
    expect(modes(work)).toEqual([0o555, 0o555, 0o555]);
  },
);

testUnless(reason)("what has changed below them arrives, and a run without changes", async () => {
  using work = createWorkspace();
  await makeSource(work);
  const args = ["copy", `${work.at("src")}/`, work.at("dst")];
  await runAsNobody(args);
  await script(
    work,
    `chmod 755 src/closed src/closed/below
    echo changed >src/closed/below/plain; echo new >src/closed/new; mkdir src/closed/more
    ln -s nowhere src/closed/link; ln src/closed/new src/closed/below/again
    chmod 555 src/closed src/closed/below src/closed/more`,
  );
  const run = await runAsNobody(args);
  expect([run.code, run.stderr]).toEqual([0, run.stderr]);
  expect(differences(work.at("src"), work.at("dst"))).toBe("");
  expect(modes(work)).toEqual([0o555, 0o555, 0o555]);
  const again = await runAsNobody([...args, "--json"]);
  expect(JSON.parse(again.stdout)).toMatchObject({ exitCode: 0, files: 0, attributesOnly: 0 });
  expect(modes(work)).toEqual([0o555, 0o555, 0o555]);
});

for (const backup of [false, true]) {
  const how = backup ? "with a backup folder" : "for good";
  testUnless(reason)(`a mirror deletes in them, ${how}`, async () => {
    using work = createWorkspace();
    await makeSource(work);
    await script(
      work,
      `mkdir -p dst/closed/below dst/gone/below
      echo extra >dst/closed/extra; echo extra >dst/gone/extra; echo extra >dst/gone/below/extra
      chmod 555 dst/closed
      ${backup ? "mkdir old; rm -r dst/gone" : "chmod 555 dst/gone/below dst/gone"}`,
    );
    const args = ["mirror", "--yes", `${work.at("src")}/`, work.at("dst")];
    const run = await runAsNobody(backup ? [...args, `--backup-dir=${work.at("old")}`] : args);
    expect([run.code, run.stderr]).toEqual([0, run.stderr]);
    expect(differences(work.at("src"), work.at("dst"))).toBe("");
    expect(modes(work)).toEqual([0o555, 0o555, 0o555]);
    if (backup) expect(readFileSync(work.at("old/closed/extra"), "utf8")).toBe("extra\n");
  });
}

testUnless(reason)("one that merely holds what the command line names stays closed", async () => {
  using work = createWorkspace();
  await makeSource(work);
  await script(work, "mkdir dst; chmod 555 dst");
  const run = await runAsNobody(["copy", work.at("src/closed/file"), work.at("dst")]);
  expect(run.code).toBe(4);
  expect(run.stderr).toContain("permission denied");
  expect(readdirSync(work.at("dst"))).toEqual([]);
  expect(statSync(work.at("dst")).mode & 0o777).toBe(0o555);
});
