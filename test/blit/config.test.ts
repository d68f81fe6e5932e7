import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BLIT_CONFIG_DEFAULTS, blitConfigPath, loadBlitConfig } from "../../src/blit/config.ts";
import { blitConfigReference } from "../../src/blit/config-reference.ts";
import { blitConfigSchema } from "../../src/blit/config-schema.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "blit-config-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(content: string): string {
  const path = blitConfigPath({ HOME: home });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

test("the defaults without a file are those of the schema", () => {
  expect(BLIT_CONFIG_DEFAULTS).toEqual(blitConfigSchema.parse({}));
});

test("without a file: defaults, under the flags that were given", async () => {
  const config = await loadBlitConfig(
    { HOME: home },
    { transfer: { xattrs: false, owner: undefined } },
  );
  expect(config).toMatchObject({
    ...BLIT_CONFIG_DEFAULTS,
    transfer: { ...BLIT_CONFIG_DEFAULTS.transfer, xattrs: false },
  });
  expect(config.originOf(["transfer", "xattrs"])).toBe("--xattrs");
  expect(config.originOf(["transfer", "owner"])).toBe("default");
  expect(BLIT_CONFIG_DEFAULTS.transfer.xattrs).toBe(true);
});

test("a file counts, flags count more", async () => {
  const path = write(
    '[transfer]\nowner = false\nexclude = ["*.tmp"]\n[telemetry]\nenabled = false\n',
  );
  const config = await loadBlitConfig({ HOME: home }, { transfer: { progress: false } });
  expect(config.transfer).toEqual({
    xattrs: true,
    owner: false,
    exclude: ["*.tmp"],
    progress: false,
  });
  expect(config.telemetry.enabled).toBe(false);
  expect(config.originOf(["transfer", "exclude", 0])).toBe(`${path}:3`);
});

test("a slip in the file is a fault, not a silent default", async () => {
  write("[transfer]\nxatrs = false\n");
  expect(loadBlitConfig({ HOME: home })).rejects.toMatchObject({
    code: "E_CONFIG",
    hint: 'did you mean "xattrs"?',
  });
});

test("no file, no zod and no TOML parser", () => {
  const source = new URL("../../src/blit/config.ts", import.meta.url).pathname;
  const script = `
    const { loadBlitConfig } = await import(${JSON.stringify(source)});
    await loadBlitConfig({ HOME: ${JSON.stringify(home)} });
    const loaded = [...Object.keys(require.cache)].filter((path) => /zod|smol-toml/.test(path));
    console.log(JSON.stringify(loaded));`;
  const done = Bun.spawnSync([process.execPath, "-e", script]);
  expect(done.stdout.toString().trim()).toBe("[]");
  // The check can fail: with a file they are there.
  write("");
  const other = Bun.spawnSync([process.execPath, "-e", script]);
  expect(other.stdout.toString()).toContain("zod");
});

test("docs/reference/blit-config.md is what the schema says (bun run docs)", () => {
  const page = new URL("../../docs/reference/blit-config.md", import.meta.url).pathname;
  expect(readFileSync(page, "utf8")).toBe(blitConfigReference());
});
