import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type ConfigurationPlan,
  type HomePlaces,
  planConfiguration,
} from "../../../src/rastos/system/configuration.ts";
import type { HomeView } from "../../../src/rastos/system/homes.ts";
import { planSystem } from "../../../src/rastos/system/plan.ts";
import { carryOut } from "../../../src/rastos/system/root-view.ts";
import { systemSchema } from "../../../src/rastos/system/schema.ts";
import type { SystemConfig } from "../../../src/rastos/system/types.ts";
import { MemoryRoot } from "../../support/memory-root.ts";

const KEYS = [`ssh-ed25519 ${"A".repeat(68)} a`, `ssh-ed25519 ${"B".repeat(68)} b`];

/** Part of a root in memory: a home folder. */
class Below {
  readonly #root: MemoryRoot;
  readonly #path: string;

  constructor(root: MemoryRoot, path: string) {
    this.#root = root;
    this.#path = path;
  }

  readText(path: string): string | undefined {
    return this.#root.readText(`${this.#path}/${path}`);
  }

  status(path: string): ReturnType<HomeView["status"]> {
    return this.#root.status(`${this.#path}/${path}`);
  }
}

function homesOf(root: MemoryRoot): HomePlaces {
  const owner = (name: string): number => root.status(`home/${name}`)?.uid ?? 0;
  return {
    owners: () => new Map(root.names("home").map((name) => [`/home/${name}`, owner(name)])),
    inside: (home) => {
      const path = home.slice(1);
      return root.status(path)?.kind === "folder" ? new Below(root, path) : undefined;
    },
  };
}

function configurationOf(
  root: MemoryRoot,
  previous: SystemConfig | undefined,
  config: SystemConfig,
): ConfigurationPlan {
  const homes = homesOf(root);
  return planConfiguration(root, { config, previous, homes, today: 20_000, systemText: "text" });
}

function carryOutAll(
  root: MemoryRoot,
  previous: SystemConfig | undefined,
  config: SystemConfig,
): void {
  const plan = configurationOf(root, previous, config);
  carryOut(root, plan.steps);
  for (const { before, inside, home } of plan.homes) {
    carryOut(root, before);
    const path = home.slice(1);
    carryOut(
      root,
      inside.map((step) => ({ ...step, path: `${path}/${step.path}` })),
    );
  }
}

function compare(
  root: MemoryRoot,
  previous: SystemConfig | undefined,
  config: SystemConfig,
): ReturnType<typeof planSystem> {
  const configuration = configurationOf(root, previous, config);
  return planSystem({ installed: [], available: [], previous }, { config, configuration });
}

function base(): MemoryRoot {
  const root = new MemoryRoot({
    "etc/passwd": "root:x:0:0::/root:/bin/sh\n",
    "etc/shadow": "root:*:::::::\n",
    "etc/group": "root:x:0:\nwheel:x:998:\n",
    "etc/locale.gen": "#de_DE.UTF-8 UTF-8\n#en_US.UTF-8 UTF-8\n",
    "etc/pacman.conf": "[options]\n[old]\nServer = file:///x\n",
    "usr/share/zoneinfo/Europe/Berlin": "",
    "usr/share/zoneinfo/UTC": "",
    "usr/lib/rinit/web.toml": "",
    "usr/lib/rinit/db.toml": "",
    "usr/lib/systemd/system/web.service": "[Install]\nWantedBy=a.target\nAlias=www.service\n",
    "usr/lib/systemd/system/db.service": "[Install]\nRequiredBy=a.target\nAlso=web.service\n",
  });
  root.makeFolder("home");
  return root;
}

const optional = <T>(...values: T[]): fc.Arbitrary<T | undefined> =>
  fc.option(fc.constantFrom(...values), { nil: undefined });

const declaration = fc
  .record({
    system: fc.record({
      hostname: optional("atlas", "b.example"),
      locale: optional("de_DE.UTF-8", "C.UTF-8", "fr_FR"),
      locales: fc.subarray(["de_DE.UTF-8", "en_US.UTF-8", "fr_FR"]),
      timezone: optional("Europe/Berlin", "UTC"),
      keymap: optional("de", "us"),
    }),
    repositories: fc.subarray([
      { name: "core", servers: ["file:///core"], siglevel: "Never" },
      { name: "extra", servers: ["https://a.example/$repo", "https://b.example"] },
    ]),
    init: fc.constantFrom("rinit", "systemd"),
    enabled: fc.subarray(["web", "db"]),
    users: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom("ada", "bob", "eve"),
        groups: fc.subarray(["wheel", "docker"]),
        shell: optional("/bin/sh", "/bin/zsh"),
        ssh_keys: fc.option(fc.subarray(KEYS), { nil: undefined }),
        password_hash: optional("$6$a$bbbbbbbb", "!"),
      }),
      { selector: ({ name }) => name },
    ),
    cmdline: optional("quiet", "console=ttyS0"),
  })
  .map(({ init, enabled, cmdline, ...rest }) => {
    const disable = ["web", "db"].filter((name) => !enabled.includes(name)).slice(0, 1);
    return systemSchema.parse({
      ...rest,
      services: { init, enable: enabled, disable: init === "systemd" ? [] : disable },
      kernel: { cmdline },
    });
  });

describe("whatever is declared, one after the other", () => {
  test("carried out, nothing is left to do, and not a byte changes", () => {
    fc.assert(
      fc.property(fc.array(declaration, { minLength: 1, maxLength: 3 }), (declarations) => {
        const root = base();
        let previous: SystemConfig | undefined;
        for (const config of declarations) {
          carryOutAll(root, previous, config);
          const after = new Map(root.entries);
          const again = compare(root, config, config);
          expect(again.configuration.changes).toEqual([]);
          expect(again.configuration.steps).toEqual([]);
          expect(again.isEmpty).toBe(true);
          expect(root.entries).toEqual(after);
          previous = config;
        }
      }),
      { numRuns: 150 },
    );
  });

  test("what is declared no more leaves nothing behind but homes and settings", () => {
    fc.assert(
      fc.property(declaration, (config) => {
        const root = base();
        carryOutAll(root, undefined, config);
        const empty = systemSchema.parse({ services: { init: config.services.init } });
        carryOutAll(root, config, empty);
        expect(root.readText("etc/passwd")).toBe("root:x:0:0::/root:/bin/sh\n");
        expect(root.readText("etc/shadow")).toBe("root:*:::::::\n");
        expect(root.names("etc/rinit/enabled")).toEqual([]);
        expect(
          root
            .names("etc/systemd/system")
            .flatMap((name) => root.names(`etc/systemd/system/${name}`)),
        ).toEqual([]);
        expect(root.readText("etc/kernel/cmdline")).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });
});

test("what is no file of the root is a difference too, and a comment is none", () => {
  const root = base();
  const config = systemSchema.parse({
    kernel: { profile: "production" },
    boot: { timeout: 5 },
    hooks: { post_install: ["true"] },
    packages: { ignored: ["linux"] },
  });
  const before = systemSchema.parse({});
  const plan = compare(root, before, config);
  expect(plan.declared.map(({ area, text }) => `${area}: ${text}`)).toEqual([
    "kernel: profile none → production",
    "boot: seconds of the menu 3 → 5",
    "hooks: post_install changed",
    "packages: ignored none → linux",
  ]);
  const again = compare(root, config, config);
  expect(again.declared).toEqual([]);
  expect(again.packages.addKernel).toBe("linux-rastos-production");
});
