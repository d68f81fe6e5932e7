import { expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync } from "node:fs";
import { buildUser } from "../../../src/rastos/aur/build-user.ts";
import { sandboxCommand } from "../../../src/rastos/aur/sandbox.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

/** What a program in a sandbox can do; each line is a name and yes or no. */
const PROBE = `can() {
  name=$1; shift
  if "$@" >/dev/null 2>&1; then echo "$name yes"; else echo "$name no"; fi
}
can write-own touch own
can write-mount touch /given/new
can write-read-only touch /shown/new
can read-mount cat /shown/there
can write-usr touch /usr/probe
can write-top touch /probe
can write-tmp touch /tmp/probe
can see-host-tmp test -e "$1"
can see-root ls /root
can read-shadow cat /etc/shadow
can read-machine-id test -e /etc/machine-id
can loopback-of-host bash -c ": </dev/tcp/127.0.0.1/$2"
can see-host-processes bash -c '[ "$(ls -d /proc/[0-9]* | wc -l)" -gt 20 ]'
can mount mount -t tmpfs tmpfs /tmp
can random head -c 8 /dev/urandom
can null cp /dev/null /tmp/null
can is-root test "$(id -u)" = 0
can home test -d "$HOME"
can environment test -n "$SECRET"
`;

const EXPECTED = {
  "write-own": "yes",
  "write-mount": "yes",
  "write-read-only": "no",
  "read-mount": "yes",
  "write-usr": "no",
  "write-top": "no",
  "write-tmp": "yes",
  "see-host-tmp": "no",
  "see-root": "no",
  "read-shadow": "no",
  "read-machine-id": "yes",
  "loopback-of-host": "no",
  "see-host-processes": "no",
  mount: "no",
  random: "yes",
  null: "yes",
  "is-root": "no",
  home: "yes",
  environment: "no",
};

async function probe(tool: "bwrap" | "unshare", hasNetwork: boolean) {
  using work = createWorkspace();
  chmodSync(work.path, 0o711);
  const user = buildUser();
  const given = work.folder("given");
  chownSync(given, user.uid, user.gid);
  work.write("shown/there", "text");
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("") });
  const command = sandboxCommand(
    {
      root: "/",
      user,
      hasNetwork,
      mounts: [
        { from: given, to: "/given", isWritable: true },
        { from: work.at("shown"), to: "/shown" },
      ],
      folder: "/given",
      environment: { PATH: "/usr/bin:/bin", HOME: "/home/build" },
      command: ["bash", "-c", PROBE, "probe", work.path, String(server.port)],
    },
    tool,
  );
  const child = Bun.spawn([...command], {
    env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", SECRET: "x" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await server.stop(true);
  if (stdout === "") throw new Error(stderr);
  expect(existsSync(work.at("given/new"))).toBe(true);
  const lines = stdout.trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split(" ") as [string, string]));
}

const needs = firstReason(needsRoot(), needsProgram("setpriv", "unshare", "chroot"));

for (const tool of ["bwrap", "unshare"] as const) {
  const missing = firstReason(needs, tool === "bwrap" ? needsProgram("bwrap") : undefined);
  testUnless(missing)(
    `what a program can do in a sandbox of ${tool}`,
    async () => {
      expect(await probe(tool, false)).toEqual(EXPECTED);
      const online = { ...EXPECTED, "loopback-of-host": "yes", "read-machine-id": "no" };
      expect(await probe(tool, true)).toEqual(online);
    },
    30_000,
  );
}

test("what is not root builds as itself", () => {
  const { uid, prefix } = buildUser();
  expect(prefix.length > 0).toBe(process.getuid?.() === 0);
  expect(uid).not.toBe(0);
});
