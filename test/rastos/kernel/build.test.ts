import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import {
  buildKernel,
  type KernelBuildRequest,
  type KernelEvent,
  planKernelBuild,
} from "../../../src/rastos/kernel/build.ts";
import { binaryPath, runTool, toolEnvironment } from "../../support/binary.ts";
import { fakeKernelSource } from "../../support/kernel-source.ts";
import { firstReason, needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const needs = firstReason(needsProgram("make", "gcc", "ld", "flex", "bison", "bc", "perl"));

function requestIn(work: Workspace, more: Partial<KernelBuildRequest> = {}): KernelBuildRequest {
  return {
    source: work.at("linux"),
    output: work.at("out"),
    jobs: 1,
    profile: undefined,
    base: undefined,
    configFile: undefined,
    ccache: undefined,
    isStrict: false,
    isPackaged: false,
    isConfigOnly: false,
    isVerbose: false,
    environment: { PATH: process.env["PATH"], SOURCE_DATE_EPOCH: "1700000000" },
    ...more,
  };
}

testUnless(needs)("configures, compiles and installs, and tells how far it is", async () => {
  using work = createWorkspace();
  fakeKernelSource(work);
  const configFile = work.write("own.config", "# CONFIG_KEXEC is not set\nCONFIG_LOST=y\n");
  const events: KernelEvent[] = [];
  const isPackaged = Bun.which("bsdtar") !== null;
  const request = requestIn(work, { configFile, isPackaged });
  const result = await buildKernel(request, (event) => events.push(event));
  const modules = work.at("out/install/usr/lib/modules/6.9.3-test");
  expect(result).toMatchObject({
    version: "6.9.3-test",
    wantedCount: 2,
    compiled: 3,
    image: `${modules}/vmlinuz`,
  });
  expect(result.lost).toMatchObject([
    { symbol: "LOST", wanted: "y", got: "n", line: 2, reason: "needs FOUND" },
  ]);
  expect(result.overrides).toMatchObject([{ symbol: "KEXEC", from: { layer: "defconfig" } }]);
  // Fixed, so that every machine makes the same kernel.
  expect(readFileSync(`${modules}/vmlinuz`, "utf8")).toBe("image rastos @1700000000\n");
  expect(readFileSync(`${modules}/config`, "utf8")).toContain("# CONFIG_KEXEC is not set");
  expect(existsSync(`${modules}/System.map`)).toBe(true);
  expect(existsSync(`${modules}/kernel/a.ko`)).toBe(true);
  expect(readFileSync(`${modules}/pkgbase`, "utf8")).toBe("linux-rastos-own\n");
  const packageFile = "linux-rastos-own-6.9.3_test-1-x86_64.pkg.tar.zst";
  expect(result.packageFile).toBe(isPackaged ? work.at("out", packageFile) : undefined);
  expect(existsSync(work.at("out", packageFile))).toBe(isPackaged);
  // A link to the machine that built it has no place in it.
  expect(existsSync(`${modules}/build`)).toBe(false);
  const figures = events.flatMap((event) =>
    event.kind === "compiled" ? [[event.done, event.total]] : [],
  );
  expect(figures).toEqual([
    [1, 2],
    [2, 2],
    [3, 3],
  ]);
});

testUnless(needs)("a configuration that has not changed keeps its time", async () => {
  using work = createWorkspace();
  fakeKernelSource(work);
  const request = requestIn(work, { isConfigOnly: true });
  const { config } = await buildKernel(request, () => undefined);
  const before = statSync(config, { bigint: true }).mtimeNs;
  await Bun.sleep(20);
  await buildKernel(request, () => undefined);
  expect(statSync(config, { bigint: true }).mtimeNs).toBe(before);
  expect(existsSync(`${config}.before`)).toBe(false);
});

testUnless(needs)("the compiler's first error is the message; an old install stays", async () => {
  using work = createWorkspace();
  fakeKernelSource(work);
  await buildKernel(requestIn(work), () => undefined);
  const configFile = work.write("own.config", "CONFIG_BROKEN=y\n");
  const build = buildKernel(requestIn(work, { configFile }), () => undefined);
  await expect(build).rejects.toMatchObject({
    code: "E_BUILD",
    message: "Cannot build the kernel: init/b.c:7:3: error: no",
  });
  expect(readFileSync(work.at("out/build.log"), "utf8")).toContain("init/b.c:7:3");
  expect(existsSync(work.at("out/install/usr/lib/modules/6.9.3-test/vmlinuz"))).toBe(true);
});

testUnless(needs)("with --strict a lost setting ends it before the first compiler", async () => {
  using work = createWorkspace();
  fakeKernelSource(work);
  const configFile = work.write("own.config", "CONFIG_LOST=y\n");
  const build = buildKernel(requestIn(work, { configFile, isStrict: true }), () => undefined);
  await expect(build).rejects.toMatchObject({
    code: "E_CONFIG",
    message: "Cannot keep CONFIG_LOST=y: needs FOUND",
  });
  expect(existsSync(work.at("out/System.map"))).toBe(false);
});

testUnless(needs)(
  "a kernel without modules says what is built in, and that it has no others",
  async () => {
    using work = createWorkspace();
    fakeKernelSource(work);
    const configFile = work.write("own.config", "# CONFIG_MODULES is not set\n");
    await buildKernel(requestIn(work, { configFile }), () => undefined);
    const modules = work.at("out/install/usr/lib/modules/6.9.3-test");
    expect(readFileSync(`${modules}/modules.builtin`, "utf8")).toBe("kernel/fs/btrfs/btrfs.ko\n");
    expect(readFileSync(`${modules}/modules.dep`, "utf8")).toBe("");
    expect(existsSync(`${modules}/kernel`)).toBe(false);
  },
);

test("a plan writes nothing", async () => {
  using work = createWorkspace();
  fakeKernelSource(work);
  const plan = await planKernelBuild(requestIn(work));
  expect(plan.commands.map((command) => command.at(-1))).toEqual([
    "defconfig",
    "olddefconfig",
    "all",
    "modules_install",
  ]);
  expect(existsSync(work.at("out"))).toBe(false);
});

test("sources that cannot be built are refused in words", async () => {
  using work = createWorkspace();
  const plan = () => planKernelBuild(requestIn(work));
  await expect(plan()).rejects.toThrow(/there is no such folder/);
  work.write("linux/README", "");
  await expect(plan()).rejects.toThrow(/it has no Makefile/);
  work.write("linux/Makefile", "all:\n");
  await expect(plan()).rejects.toThrow(/not that of a kernel/);
  fakeKernelSource(work);
  work.write("linux/.config", "");
  await expect(plan()).rejects.toMatchObject({ code: "E_REFUSED" });
});

testUnless(needs)(
  "Ctrl-C stops what make has started, and make cleans up",
  async () => {
    using work = createWorkspace();
    const all = `	@echo '  CC      init/a.o'
	@trap 'echo gone > $(O)/trapped; exit 1' INT; echo $$$$ > $(O)/pid; sleep 600 & wait`;
    fakeKernelSource(work, all);
    const argv = ["kernel", "build", "-s", work.at("linux"), "-o", work.at("out"), "-p", "none"];
    const tool = Bun.spawn([await binaryPath("rastos"), ...argv], {
      env: toolEnvironment(),
      stderr: "pipe",
    });
    while (!existsSync(work.at("out/build/pid"))) await Bun.sleep(20);
    tool.kill("SIGINT");
    expect(await tool.exited).toBe(130);
    expect(await tool.stderr.text()).toContain("Interrupted");
    expect(existsSync(work.at("out/build/trapped"))).toBe(true);
  },
  60_000,
);

testUnless(needs)(
  "the compiled tool: plan, build, lock, clean",
  async () => {
    using work = createWorkspace();
    fakeKernelSource(work);
    const own = work.write("own.config", "CONFIG_LOST=y\nCONFIG_NF_TABLES=y\n");
    const base = ["kernel", "build", "-s", work.at("linux"), "-o", work.at("out")];
    const plan = await runTool("rastos", [...base, "-c", own, "--dry-run", "--json", "-j3"]);
    expect(JSON.parse(plan.stdout)).toMatchObject({
      schema: "rastos.kernel-build/1",
      dryRun: true,
      jobs: 3,
      overrides: [{ symbol: "NF_TABLES", from: { layer: "profile container-host" } }],
    });
    const built = await runTool("rastos", [...base, "-p", "none", "-c", own]);
    expect(built).toMatchObject({
      code: 0,
      stdout: `${work.at("out/install/usr/lib/modules/6.9.3-test/vmlinuz")}\n`,
    });
    expect(built.stderr).toContain("Lost: CONFIG_LOST=y");
    expect(built.stderr).toContain("Kept 1 of 2 wanted settings");
    const strict = await runTool("rastos", [...base, "-p", "none", "-c", own, "--strict"]);
    expect(strict.code).toBe(2);
    const foreign = await runTool("rastos", [...base.slice(0, 4), "-o", work.at("linux")]);
    expect(foreign.code).toBe(1);
    expect(foreign.stderr).toContain("holds other things");
    const typo = await runTool("rastos", [...base, "-p", "prodution"]);
    expect(typo).toMatchObject({ code: 2 });
    const clean = ["kernel", "clean", "-o", work.at("out")];
    expect((await runTool("rastos", clean)).stderr).toContain("--yes removes");
    expect((await runTool("rastos", [...clean, "--yes"])).code).toBe(0);
    expect(existsSync(work.at("out"))).toBe(false);
  },
  120_000,
);
