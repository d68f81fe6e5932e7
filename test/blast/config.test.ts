import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  type BlastConfigSources,
  blastDefaults,
  cacheSizeMax,
  ineffectiveKeys,
  loadBlastConfig,
} from "../../src/blast/config.ts";
import { parseSize, TABLE_SPECS } from "../../src/blast/config-keys.ts";
import { blastTomlReference } from "../../src/blast/config-reference.ts";
import { blastConfigSchema } from "../../src/blast/config-schema.ts";
import { parseToml } from "../../src/kit/config/toml.ts";
import { causeMessages, Fault } from "../../src/kit/fault/fault.ts";

const EXAMPLE = `
[env]
python_version = "3.11"
name = "project_name"
version = "1.0.0"
[container]
isolation_level = "process"
resource_limits = true
network_policy = "isolated"
[sync]
env_layer = "strict"
pkg_layer = "automatic"
conflict_resolution = "interactive"
[env_layer]
snapshot_interval = 300
max_snapshots = 10
recovery_mode = "latest"
[pkg_layer]
auto_sync = true
sync_interval = 60
version_policy = "latest"
[resolver]
max_concurrent_requests = 10
request_timeout = 30
verify_ssl = true
allow_prereleases = false
[cache]
ttl = 86400
cache_dir = ".blast/cache"
[updates]
auto_update = true
force_updates = false
update_dependencies = true
[monitor]
enabled = true
watch_paths = ["src"]
`;

async function load(blastToml: string, more: Partial<BlastConfigSources> = {}) {
  return loadBlastConfig({ blastToml: await parseToml("blast.toml", blastToml), ...more });
}

async function problems(sources: BlastConfigSources): Promise<(string | undefined)[]> {
  try {
    await loadBlastConfig(sources);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    expect(error.code).toBe("E_CONFIG");
    return [error.message, ...causeMessages(error), error.hint].filter((one) => one !== undefined);
  }
  throw new Error("no fault");
}

test("without any file every key has its default, and so says the schema", async () => {
  const config = await loadBlastConfig({});
  expect(config.values).toEqual(blastDefaults());
  expect(config.values).toEqual(blastConfigSchema.parse({}) as typeof config.values);
  expect(config.originOf(["cache", "ttl"])).toBe("default");
  expect(config.ineffective).toEqual([]);
});

test("the full example of the requirement is taken", async () => {
  const { values, ineffective, originOf } = await load(EXAMPLE);
  expect(values.env).toEqual({
    python_version: "3.11",
    name: "project_name",
    version: "1.0.0",
    path: ".venv",
    system_site_packages: false,
  });
  expect(values.cache.cache_dir).toBe(".blast/cache");
  expect(originOf(["env", "name"])).toBe("blast.toml:4");
  expect(ineffective.map(({ key }) => key)).toContain("container.network_policy");
  expect(ineffective[0]).toEqual({ key: "container.isolation_level", origin: "blast.toml:7" });
  expect(ineffective.some(({ key }) => key.startsWith("resolver."))).toBe(false);
});

test("blast.toml over [tool.blast] over the user's file, flags over all", async () => {
  const home = mkdtempSync(join(tmpdir(), "blast-config-"));
  try {
    mkdirSync(join(home, "blast"));
    const own = join(home, "blast", "config.toml");
    writeFileSync(own, "[cache]\nttl = 1\n[resolver]\nretries = 7\n");
    const pyproject = await parseToml(
      "pyproject.toml",
      '[project]\nname = "x"\n[tool.blast.cache]\nttl = 2\nmax_size = "2kB"\n',
    );
    const { values, originOf } = await load("[cache]\nttl = 3\n", {
      pyproject,
      environment: { HOME: home, XDG_CONFIG_HOME: home },
      flags: { resolver: { strategy: "lowest", no_index: undefined } },
    });
    expect(values.resolver.retries).toBe(7);
    expect(originOf(["resolver", "retries"])).toBe(`${own}:4`);
    expect([values.cache.ttl, cacheSizeMax(values)]).toEqual([3, 2000]);
    expect(originOf(["cache", "max_size"])).toBe("pyproject.toml:5");
    expect(originOf(["resolver", "strategy"])).toBe("--strategy");
    expect(originOf(["resolver", "no_index"])).toBe("default");
  } finally {
    rmSync(home, { recursive: true });
  }
});

describe("what is wrong is told with its line", () => {
  test("an unknown key and the nearest one, also in pyproject.toml", async () => {
    const blastToml = await parseToml("blast.toml", "[cache]\nttl = 1\nmaxsize = 3\n");
    expect(await problems({ blastToml })).toEqual([
      'Cannot use "blast.toml:3:1": unknown key "maxsize" in [cache]',
      'did you mean "max_size"?',
    ]);
    const pyproject = await parseToml("pyproject.toml", "[tool.blast.cashe]\nttl = 1\n");
    expect(await problems({ pyproject })).toEqual([
      'Cannot use "pyproject.toml:1:13": unknown key "cashe" in [tool.blast]',
      'did you mean "cache"?',
    ]);
  });

  test("a wrong value of every kind", async () => {
    const blastToml = await parseToml(
      "blast.toml",
      '[env]\npython_version = 3.11\n[cache]\nttl = -1\nmax_size = "big"\n' +
        "[sync]\npkg_layer = 'auto'\n[packages]\ndependencies = ['a', 1]\n",
    );
    const told = await problems({ blastToml });
    expect(told[0]).toBe('Cannot use "blast.toml": 5 problems');
    expect(told[1]).toContain('blast.toml:2:18: "env.python_version" is 3.11, but must be text');
    expect(told[3]).toContain('must be a size such as "10 GiB"');
    expect(told[4]).toContain('"automatic" or "manual"');
    expect(told[5]).toContain("blast.toml:9:22");
  });

  test("a table that is none", async () => {
    const pyproject = await parseToml("pyproject.toml", "[tool]\nblast = 1\n");
    expect((await problems({ pyproject }))[0]).toContain('"tool.blast" is 1, but must be a table');
  });
});

test("the quick check and zod agree on any file", async () => {
  const names = [...TABLE_SPECS.keys()];
  const value = fc.oneof(
    fc.boolean(),
    fc.integer({ min: -2, max: 3 }),
    fc.constantFrom("", "x", "latest", "process", "1 GiB", "lowest"),
    fc.array(fc.oneof({ weight: 9, arbitrary: fc.string() }, { weight: 1, arbitrary: fc.nat() })),
  );
  const file = fc
    .tuple(
      fc.constantFrom(...names),
      fc.nat(),
      fc.constantFrom(undefined, undefined, undefined, undefined, "other"),
      value,
    )
    .map(([table, index, other, given]) => {
      const keys = Object.keys(TABLE_SPECS.get(table)?.keys ?? {});
      return { [table]: { [other ?? keys[index % keys.length] ?? ""]: given } };
    });
  let correct = 0;
  await fc.assert(
    fc.asyncProperty(file, async (values) => {
      const expected = blastConfigSchema.safeParse(values).success;
      if (expected) correct += 1;
      const parsed = await parseToml("blast.toml", tomlOf(values));
      const got = await loadBlastConfig({ blastToml: parsed }).then(
        () => true,
        () => false,
      );
      expect(got).toBe(expected);
    }),
    { numRuns: 300 },
  );
  expect(correct).toBeGreaterThan(20);
});

test("sizes", () => {
  expect(["0", "4096", "1.5 KiB", "2kB", "10 GiB", " 3tb "].map(parseSize)).toEqual([
    0,
    4096,
    1536,
    2000,
    10 * 2 ** 30,
    3e12,
  ]);
  expect(["", "x", "-1", "1 QB", "1e9", "1..5"].map(parseSize)).toEqual(Array(6).fill(undefined));
  expect(
    cacheSizeMax({ ...blastDefaults(), cache: { ...blastDefaults().cache, max_size: "0" } }),
  ).toBeUndefined();
});

test("keys without effect are marked in the reference, and only they", () => {
  const page = blastTomlReference();
  for (const [table, { keys }] of TABLE_SPECS) {
    for (const [key, spec] of Object.entries(keys)) {
      const line = page
        .slice(page.indexOf(`## \`[${table}]\``))
        .split("\n")
        .find((one) => one.startsWith(`| \`${key}\``));
      expect(line?.includes("**No effect yet.**")).toBe(spec.effect === false);
      expect(ineffectiveKeys({ [table]: { [key]: 1 } }).length).toBe(spec.effect === false ? 1 : 0);
    }
  }
});

/** JSON of plain values is TOML as well. */
function tomlOf(values: Record<string, Record<string, unknown>>): string {
  return Object.entries(values)
    .map(
      ([table, keys]) =>
        `[${table}]\n${Object.entries(keys)
          .map(([key, value]) => `${key} = ${JSON.stringify(value)}`)
          .join("\n")}\n`,
    )
    .join("");
}
