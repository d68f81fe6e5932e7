import { expect, test } from "bun:test";
import { buildKernel } from "../../../src/rastos/kernel/build.ts";
import { parseConfig } from "../../../src/rastos/kernel/config-file.ts";
import { estimateFiles } from "../../../src/rastos/kernel/estimate.ts";
import { findProfile, KERNEL_PROFILES } from "../../../src/rastos/kernel/profiles.ts";
import { needsKernelSource, realKernelSource } from "../../support/kernel-source.ts";
import { firstReason, needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

/** Of the original's profile: gone from Linux since years. */
const GONE = ["MEMCG_SWAP_ENABLED", "MEMCG_SWAP", "NF_CONNTRACK_IPV4", "CGROUP_MEM_RES_CTLR"];

test("profiles name no symbol twice, and none that is gone", async () => {
  for (const profile of KERNEL_PROFILES) {
    const symbols = parseConfig(profile.name, await profile.load()).map(({ symbol }) => symbol);
    expect(symbols.filter((symbol, index) => symbols.indexOf(symbol) < index)).toEqual([]);
    expect(symbols.filter((symbol) => GONE.includes(symbol))).toEqual([]);
  }
  expect(findProfile("server")).toBeUndefined();
});

const needs = firstReason(
  needsKernelSource(),
  needsProgram("make", "gcc", "ld", "flex", "bison", "bc", "perl"),
);

// One output folder for all, so that Kconfig itself is compiled once.
testUnless(needs)(
  "Linux 6.1 keeps every setting of every profile, and names what of an own one is lost",
  async () => {
    using work = createWorkspace();
    const source = realKernelSource();
    const configFile = work.write(
      "own.config",
      "CONFIG_MEMCG_SWAP_ENABLED=y\nCONFIG_NFT_FIB_INET=m\n# CONFIG_NFT_FIB_IPV6 is not set\n",
    );
    const build = (name: string, more: { configFile?: string } = {}) =>
      buildKernel(
        {
          source,
          output: work.at("out"),
          jobs: 2,
          profile: findProfile(name),
          base: undefined,
          configFile: more.configFile,
          ccache: undefined,
          isStrict: false,
          isPackaged: false,
          isConfigOnly: true,
          isVerbose: false,
          environment: process.env,
        },
        () => undefined,
      );
    // The first one comes last, with settings that cannot be kept beside its own.
    for (const { name } of KERNEL_PROFILES.slice(1)) {
      const { lost, wantedCount } = await build(name);
      expect({ name, lost }).toEqual({ name, lost: [] });
      expect(wantedCount).toBeGreaterThan(50);
    }
    const { config, lost } = await build("container-host", { configFile });
    expect(lost.map(({ symbol, reason }) => `${symbol}: ${reason}`)).toEqual([
      "MEMCG_SWAP_ENABLED: not in this source",
      "NFT_FIB_INET: needs NFT_FIB_IPV6",
    ]);
    const lines = parseConfig(config, await Bun.file(config).text());
    const values = new Map(lines.map(({ symbol, value }) => [symbol, value]));
    expect(estimateFiles(source, "x86", values)).toBeGreaterThan(2000);
  },
  300_000,
);
