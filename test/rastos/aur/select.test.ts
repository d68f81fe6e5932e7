import { expect, test } from "bun:test";
import type { BaseMirror } from "../../../src/rastos/aur/mirror.ts";
import { parseAurSpec } from "../../../src/rastos/aur/names.ts";
import { ProviderIndex } from "../../../src/rastos/aur/order.ts";
import type { AurPackage } from "../../../src/rastos/aur/rpc.ts";
import { type SelectionInput, selectBases } from "../../../src/rastos/aur/select.ts";

const OLD = "1".repeat(40);
const NEW = "2".repeat(40);

/** Bases by name, each with the text of its .SRCINFO; and what was asked. */
function world(infos: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const packages = Object.entries(infos).map(([base, text]) => ({
    name: base,
    base,
    version: "1-1",
    provides: [...text.matchAll(/provides = (.*)/g)].map(([, value]) => value ?? ""),
  }));
  const mirrorOf = (base: string) =>
    ({
      base,
      update: async () => void asked.push(`update ${base}`),
      commit: async (name?: string) =>
        [OLD, NEW].find((commit) =>
          name === undefined ? commit === NEW : commit.startsWith(name),
        ),
      read: async (_: string, path: string) => (path === "PKGBUILD" ? "" : infos[base]),
    }) as unknown as BaseMirror;
  const rpc = {
    info: async (names: readonly string[]) => {
      asked.push(`info ${names.join(" ")}`);
      return packages.filter(({ name }) => names.includes(name)) as unknown as AurPackage[];
    },
    search: async (word: string) =>
      packages.filter(({ provides }) => provides.some((text) => text.startsWith(word))) as never,
    suggest: async () => Object.keys(infos),
  };
  const select = (names: readonly string[], more: Partial<SelectionInput> = {}) =>
    selectBases({
      specs: names.map(parseAurSpec),
      lock: new Map(),
      rpc,
      mirrorOf,
      official: new ProviderIndex([{ name: "glibc", version: "2-1", provides: [] }]),
      hasChecks: true,
      architecture: "x86_64",
      isUpdate: false,
      ...more,
    });
  return { asked, select };
}

function info(base: string, ...fields: readonly string[]): string {
  const all = ["pkgver = 1", "pkgrel = 1", "arch = any", ...fields];
  return `pkgbase = ${base}\n${all.map((field) => `\t${field}\n`).join("")}\npkgname = ${base}\n`;
}

test("dependencies are followed, asked for together, and by what provides them", async () => {
  const { asked, select } = world({
    app: info("app", "depends = glibc", "depends = lib", "makedepends = api>=2"),
    lib: info("lib", "checkdepends = tester"),
    tester: info("tester"),
    stand: info("stand", "provides = api=2"),
    weak: info("weak", "provides = api=1"),
  });
  const { bases, graph } = await select(["app"]);
  expect([...bases.keys()]).toEqual(["app", "lib", "stand", "tester"]);
  expect(graph.steps().at(-1)?.base.base).toBe("app");
  expect(asked.filter((call) => call.startsWith("info"))).toEqual([
    "info app",
    "info lib api",
    "info stand weak",
    "info tester",
  ]);
});

test("a reviewed commit is taken without asking anybody; others are looked for", async () => {
  const { asked, select } = world({ app: info("app") });
  const lock = new Map([["app", { commit: OLD, packages: ["app"] }]]);
  const at = async (name: string, isUpdate = false) =>
    (await select([name], { lock, isUpdate })).bases.get("app");
  expect(await at("app")).toMatchObject({ commit: OLD, isApproved: true });
  expect(asked).toEqual([]);
  expect(await at("app", true)).toMatchObject({ commit: NEW, reviewed: OLD, isApproved: false });
  expect(asked).toEqual(["update app"]);
  expect(await at(`app#${NEW}`)).toMatchObject({ commit: NEW, isApproved: true });
  expect(await at("app#2222222")).toMatchObject({ commit: NEW, isApproved: false });
  expect(await at("app#1111111")).toMatchObject({ commit: OLD, isApproved: true });
});

test("what does not fit together is refused", async () => {
  const { select } = world({
    app: info("app"),
    liar: info("app"),
    arm: info("arm").replace("arch = any", "arch = aarch64"),
    empty: "",
  });
  await expect(select([`app#${OLD}`, `app#${NEW}`])).rejects.toThrow(/at two commits/);
  await expect(select(["liar"])).rejects.toThrow(/is that of "app"/);
  await expect(select(["arm"])).rejects.toThrow(/it is for aarch64/);
  await expect(select(["empty"])).rejects.toMatchObject({ code: "E_CONFIG" });
  await expect(select(["gone"])).rejects.toThrow(/Cannot find "gone"/);
});
