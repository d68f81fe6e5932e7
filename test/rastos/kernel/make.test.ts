import { expect, test } from "bun:test";
import { defaultJobs, makeCall, requireTools } from "../../../src/rastos/kernel/make.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("a call sees nothing of the caller that would make kernels differ", () => {
  using work = createWorkspace();
  work.write("Makefile", "", { mtimeSeconds: 1_600_000_000 });
  const source = {
    folder: work.path,
    version: [6, 1, 0],
    versionText: "6.1.0",
    sourceArchitecture: "x86",
  };
  const call = (environment: Record<string, string>, ccache?: string) =>
    makeCall({ source, build: "/out", jobs: 3, ccache, isVerbose: false, environment }, ["all"]);
  const path = process.env["PATH"] ?? "";
  const plain = call({ PATH: path, KCFLAGS: "-O0", MAKEFLAGS: "-k", LANG: "de", HOME: "/h" });
  expect(plain.command.slice(1)).toEqual(["-C", work.path, "O=/out", "-j3", "V=0", "all"]);
  expect(plain.environment).toEqual({
    PATH: `${path}:/usr/sbin:/sbin`,
    HOME: "/h",
    LC_ALL: "C",
    SOURCE_DATE_EPOCH: "1600000000",
    KBUILD_BUILD_TIMESTAMP: "@1600000000",
    KBUILD_BUILD_USER: "rastos",
    KBUILD_BUILD_HOST: "rastos",
    KBUILD_BUILD_VERSION: "1",
  });
  const dated = call({ PATH: path, SOURCE_DATE_EPOCH: "17" }, "/usr/bin/ccache");
  expect(dated.environment["KBUILD_BUILD_TIMESTAMP"]).toBe("@17");
  expect(dated.command).toContain("CC=/usr/bin/ccache gcc");
});

test("missing tools are named all at once", () => {
  using work = createWorkspace();
  work.write("make", "#!/bin/sh\n", { mode: 0o755 });
  expect(() => requireTools({ PATH: work.path })).toThrow(/gcc, ld, flex, bison, bc, perl/);
  expect(defaultJobs()).toBeGreaterThanOrEqual(1);
});
