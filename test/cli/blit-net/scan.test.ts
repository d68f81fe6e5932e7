import { expect } from "bun:test";
import { binaryPath, runCommand } from "../../support/binary.ts";
import { startBlitd } from "../../support/blitd.ts";
import { NetLab, networkMissing } from "../../support/net-lab.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

/** Runs blit on a host until a scan shows so many daemons: an announcement takes its time. */
async function scan(host: NetLab["hosts"][number], count: number, argv: readonly string[] = []) {
  const command = host.on([await binaryPath("blit"), "scan", "--json", "--wait", "1", ...argv]);
  for (let attempt = 0; ; attempt += 1) {
    const { code, stdout, stderr } = await runCommand(command);
    expect([code, stderr]).toEqual([0, ""]);
    const found = stdout.split("\n").filter((line) => line !== "");
    if (found.length >= count || attempt === 10) return found.map((line) => JSON.parse(line));
  }
}

testUnless(networkMissing())(
  "daemons on other hosts are found, without a route to anywhere else",
  async () => {
    using work = createWorkspace();
    work.write("data/file", "12345");
    using lab = new NetLab(3);
    const [here, one, two] = lab.hosts;
    if (here === undefined || one === undefined || two === undefined) throw new Error("no hosts");
    const modules = [{ name: "m", path: work.at("data") }];
    const start = (host: NetLab["hosts"][number], name: string) =>
      startBlitd({
        prefix: host.on([]),
        bind: "::",
        modules,
        args: ["--mdns", "--mdns-name", name],
      });
    await using first = await start(one, "attic");
    // Of two that claim a name at the same moment either may get it.
    expect(await scan(here, 1)).toHaveLength(1);
    await using second = await start(two, "attic");
    const found = await scan(here, 2);
    expect(found).toEqual([
      {
        schema: "blit.scan/1",
        name: "attic",
        host: expect.any(String),
        address: expect.stringMatching(/^203\.0\.113\.[23]$/),
        port: expect.any(Number),
        txt: { tls: "0", token: "0" },
      },
      expect.objectContaining({ name: "attic (2)" }),
    ]);
    expect(found.map(({ address, port }) => `${address} ${port}`).sort()).toEqual([
      `${one.address} ${first.port}`,
      `${two.address} ${second.port}`,
    ]);
    // What is found can be used as it is shown.
    const server = `${found[0].address}:${found[0].port}`;
    const utils = await binaryPath("blit-utils");
    const du = await runCommand(here.on([utils, "du", "--json", `${server}:/m/`]));
    expect(JSON.parse(du.stdout)).toMatchObject({ path: `${server}:/m/`, bytes: 5, files: 1 });
    await first.stop("SIGTERM");
    expect(await scan(here, 1)).toHaveLength(1);
  },
  60_000,
);
