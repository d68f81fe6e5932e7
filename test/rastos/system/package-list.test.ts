import { expect, test } from "bun:test";
import fc from "fast-check";
import { systemTextOf } from "../../../src/rastos/system/package-list.ts";
import { parseSystemText } from "../../../src/rastos/system/read.ts";

const LIST = `
packages = [
  { name = "vim", source = "official" },
  { name = "nginx", version = "1.24.0-1" },
  { name = "paru", source = "aur", version = "2.0", options = ["--needed"] },
]
pre_install = ["echo before"]
post_install = []
`;

test("the original's list is read, and what it leaves open is told", async () => {
  const { config, notes, form } = await parseSystemText("list.toml", LIST);
  expect(form).toBe("list");
  expect(config.packages.official).toEqual(["vim", "nginx=1.24.0-1"]);
  expect(config.packages.aur).toEqual(["paru"]);
  expect(config.hooks).toEqual({ pre_install: ["echo before"], post_install: [] });
  expect(notes).toEqual([
    '"paru": the AUR keeps no old versions, so version "2.0" is left out',
    '"paru": options are not used: --needed',
    "without a source, so taken from the repositories: nginx (in the original that meant the " +
      'AUR; write source = "aur" where that was meant)',
  ]);
});

test("its system.toml says the same", async () => {
  const { config } = await parseSystemText("list.toml", LIST);
  const text = systemTextOf(config);
  expect(text).toMatchInlineSnapshot(`
    "[packages]
    official = [
      "vim",
      "nginx=1.24.0-1",
    ]
    aur = [
      "paru",
    ]

    [hooks]
    pre_install = [
      "echo before",
    ]
    "
  `);
  const again = await parseSystemText("system.toml", text);
  expect(again.config).toEqual(config);
  expect(again.form).toBe("system");
});

test("whatever the hooks hold survives", async () => {
  const hook = fc.string({ minLength: 1, unit: "binary" });
  await fc.assert(
    fc.asyncProperty(fc.array(hook), fc.array(hook), async (pre_install, post_install) => {
      const { config } = await parseSystemText("system.toml", "");
      const wanted = { ...config, hooks: { pre_install, post_install } };
      const again = await parseSystemText("system.toml", systemTextOf(wanted));
      expect(again.config.hooks).toEqual({ pre_install, post_install });
    }),
    { numRuns: 100 },
  );
});
