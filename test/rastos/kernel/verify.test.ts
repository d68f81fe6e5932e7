import { expect, test } from "bun:test";
import { readKconfig } from "../../../src/rastos/kernel/kconfig.ts";
import { verifySettings } from "../../../src/rastos/kernel/verify.ts";
import { createWorkspace } from "../../support/workspace.ts";

const KCONFIG = `config MODULES
	bool "Modules"
config NEEDY
	tristate "Needy"
	depends on BLOCK && NET
config SWITCH
	bool "Switch"
config WILLING
	tristate "Willing"
config SILENT
	bool
config CALLER
	bool "Caller"
	select SILENT
	select FORCED if SWITCH
config FORCED
	bool "Forced"
choice
	prompt "One"
config ONE
	bool "One"
config OTHER
	bool "Other"
endchoice
config COUNT
	int "Count"
`;

/** `NAME=wanted` against a final configuration; the reason, or "kept". */
function reasons(wanted: readonly string[], final: Record<string, string>): string[] {
  using work = createWorkspace();
  work.write("Kconfig", KCONFIG);
  const settings = wanted.map((text, index) => {
    const [symbol = "", value = ""] = text.split("=");
    return { symbol, value, layer: "own", line: index + 1 };
  });
  const lost = verifySettings(settings, new Map(Object.entries(final)), () =>
    readKconfig(work.path, "x86"),
  );
  return settings.map(
    ({ symbol }) => lost.find((setting) => setting.symbol === symbol)?.reason ?? "kept",
  );
}

test("what is there is kept", () => {
  const final = { A: "y", B: "m", C: "y", D: "16", E: '"x"' };
  const wanted = ["A=y", "B=m", "C=m", "D=0x10", 'E="x"', "GONE=n"];
  expect(reasons(wanted, final)).toEqual(wanted.map(() => "kept"));
});

test.each([
  ["MEMCG_SWAP_ENABLED=y", {}, "not in this source"],
  ["NEEDY=y", { BLOCK: "y" }, "needs NET"],
  ["NEEDY=y", { BLOCK: "y", NET: "m", NEEDY: "m" }, "needs NET=y (it is m)"],
  ["SILENT=y", {}, "cannot be set: it is selected by CALLER"],
  ["FORCED=n", { FORCED: "y", CALLER: "y", SWITCH: "y" }, "selected by CALLER"],
  ["ONE=y", { OTHER: "y" }, "OTHER is chosen instead"],
  ["SWITCH=m", {}, "can only be built in, not be a module"],
  ["WILLING=m", {}, "needs MODULES"],
  ["COUNT=5", { COUNT: "7" }, "the kernel's own rules set it to 7 (see Kconfig:25)"],
] as [string, Record<string, string>, string][])("%s with %p: %s", (wanted, final, reason) => {
  expect(reasons([wanted], final)).toEqual([reason]);
});
