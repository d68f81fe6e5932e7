import { expect, test } from "bun:test";
import { readKconfig } from "../../../src/rastos/kernel/kconfig.ts";
import { createWorkspace } from "../../support/workspace.ts";

const TOP = `mainmenu "Test"
source "sub/Kconfig"
source "arch/$(SRCARCH)/Kconfig"
source "gone/Kconfig"
source "../outside"
`;

const SUB = `config PLAIN
	bool "Plain" if EXPERT # said aloud
	help
	  config NOT_ONE
	  depends on NOTHING

	  if THIS

config HIDDEN
	tristate
	depends on A && \\
		B
menu "A menu"
	depends on MENU
if OUTER
config INSIDE
	tristate "Inside if it works"
	depends on OWN
	select HIDDEN if PLAIN
endif
choice
	prompt "One of"
	depends on CHOICE
config ONE
	bool "One"
config OTHER
	def_bool y
	prompt "Other"
endchoice
endmenu
config TWICE
	bool "Twice"
	depends on FIRST
orsource "more"
`;

test("definitions with all that surrounds them", () => {
  using work = createWorkspace();
  work.write("src/Kconfig", TOP);
  work.write("src/sub/Kconfig", SUB);
  work.write("src/sub/more", "config TWICE\n\tbool\n\tdepends on SECOND\n");
  work.write("src/arch/x86/Kconfig", "config X86\n\tdef_bool y\n");
  work.write("outside", "config OUTSIDE\n\tbool\n");
  const symbols = readKconfig(work.at("src"), "x86");
  const only = (name: string) => {
    const all = symbols.definitions(name);
    expect(all.length).toBe(1);
    return all[0];
  };
  expect(only("PLAIN")).toMatchObject({ type: "bool", hasPrompt: true, conditions: ["EXPERT"] });
  expect(only("HIDDEN")).toMatchObject({ hasPrompt: false, type: "tristate" });
  expect(only("HIDDEN")?.conditions).toEqual(["A &&  B"]);
  expect(only("INSIDE")).toMatchObject({
    place: "sub/Kconfig:16",
    hasPrompt: true,
    conditions: ["MENU", "OUTER", "OWN"],
  });
  expect(symbols.selectors("HIDDEN")).toEqual([{ by: "INSIDE", condition: "PLAIN" }]);
  expect(only("ONE")?.conditions).toEqual(["MENU", "CHOICE"]);
  expect(only("OTHER")).toMatchObject({ type: "bool", hasPrompt: true });
  expect(symbols.choiceMembers("ONE")).toEqual(["ONE", "OTHER"]);
  expect(symbols.definitions("TWICE").map(({ conditions }) => conditions)).toEqual([
    ["FIRST"],
    ["SECOND"],
  ]);
  expect(only("X86")).toMatchObject({ type: "bool", hasPrompt: false });
  for (const none of ["NOT_ONE", "OUTSIDE"]) expect(symbols.definitions(none)).toEqual([]);
});
