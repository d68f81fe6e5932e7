import { expect, test } from "bun:test";
import fc from "fast-check";
import { commandLine, deploymentOfCommandLine } from "../../../src/rastos/deploy/command-line.ts";

const base = { uuid: "1-2", subvolume: ".snapshots/deploy/deploy-3-7" };

test("names root and subvolume, and keeps only what is no root of somebody else", () => {
  expect(
    commandLine({ ...base, extra: "quiet root=/dev/sda1 ro\nrootflags=subvol=@ panic=1" }),
  ).toBe("root=UUID=1-2 rootflags=subvol=.snapshots/deploy/deploy-3-7 rw quiet panic=1");
});

test("the deployment comes back from what it was started with, whatever else is there", () => {
  const words = fc.array(fc.stringMatching(/^[!-~]{1,12}$/), { maxLength: 6 });
  fc.assert(
    fc.property(fc.nat(9999), fc.nat(9999), words, (snapshot, deployment, extra) => {
      const subvolume = `.snapshots/deploy/deploy-${snapshot}-${deployment}`;
      const line = commandLine({ uuid: "x", subvolume, extra: extra.join(" ") });
      expect(deploymentOfCommandLine(`BOOT_IMAGE=/x ${line}\n`)).toEqual({ snapshot, deployment });
    }),
  );
});

test.each([
  ["rootflags=compress=zstd,subvol=/.snapshots/deploy/deploy-1-2,noatime", 2],
  ["rootflags=subvol=.snapshots/deploy/deploy-1-2x", undefined],
  ["rootflags=subvol=@", undefined],
  ["subvol=.snapshots/deploy/deploy-1-2", undefined],
  ["", undefined],
])("%s", (line, deployment) => {
  expect(deploymentOfCommandLine(line)?.deployment).toBe(deployment);
});
