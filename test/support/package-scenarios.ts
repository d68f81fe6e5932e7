import fc from "fast-check";
import type { PackageSpec } from "./pacman-repository.ts";

/** One thing that is done to a root. */
export type ScenarioStep =
  /** The repository is replaced, and fetched. */
  | { readonly kind: "publish"; readonly specs: readonly PackageSpec[] }
  | {
      readonly kind: "change";
      readonly install?: readonly string[];
      readonly remove?: readonly string[];
      readonly upgrade?: boolean;
      readonly recursive?: boolean;
      readonly onlyNeeded?: boolean;
      readonly asDependencies?: boolean;
      readonly removeConflicting?: boolean;
    }
  /** A file is written behind the package manager's back; undefined removes it. */
  | { readonly kind: "write"; readonly path: string; readonly content: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

/** A repository with a life, and what is installed from it. */
export interface Scenario {
  readonly name: string;
  readonly steps: readonly ScenarioStep[];
}

const install = (...names: string[]): ScenarioStep => ({ kind: "change", install: names });
const remove = (...names: string[]): ScenarioStep => ({ kind: "change", remove: names });
const upgrade: ScenarioStep = { kind: "change", upgrade: true };
const publish = (...specs: PackageSpec[]): ScenarioStep => ({ kind: "publish", specs });
const spec = (name: string, version: string, more: Partial<PackageSpec> = {}): PackageSpec => ({
  name,
  version,
  files: { [`usr/share/${name}/file`]: `${name} ${version}` },
  ...more,
});

/** Made by hand: each shows one thing. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "dependencies, and what nothing needs any more",
    steps: [
      publish(
        spec("app", "1-1", { depends: ["lib>=1", "tool"] }),
        spec("lib", "1.2-1", { depends: ["base"] }),
        spec("tool", "1-1"),
        spec("base", "1-1"),
      ),
      install("app"),
      remove("lib"),
      { kind: "change", remove: ["app"], recursive: true },
    ],
  },
  {
    name: "packages that exclude each other",
    steps: [
      publish(spec("a", "1-1"), spec("b", "1-1", { conflicts: ["a"] }), spec("c", "1-1")),
      install("a", "c"),
      install("b"),
      { kind: "change", install: ["b"], removeConflicting: true },
      install("a"),
    ],
  },
  {
    name: "a package that replaces another",
    steps: [
      publish(spec("old", "1-1", { files: { "usr/bin/x": "old" } }), spec("user", "1-1")),
      install("old", "user"),
      publish(
        spec("new", "1-1", {
          files: { "usr/bin/x": "new" },
          replaces: ["old"],
          conflicts: ["old"],
          provides: ["old=2"],
        }),
        spec("user", "2-1", { depends: ["old>=2"] }),
      ),
      upgrade,
    ],
  },
  {
    name: "what is provided, with versions",
    steps: [
      publish(
        spec("needs", "1-1", { depends: ["virtual>=2"] }),
        spec("one", "9-1", { provides: ["virtual=1"] }),
        spec("three", "1-1", { provides: ["virtual=3"] }),
        spec("bare", "1-1", { provides: ["virtual"] }),
      ),
      install("needs"),
      install("virtual"),
      install("virtual=1"),
    ],
  },
  {
    name: "groups",
    steps: [
      publish(
        spec("g1", "1-1", { groups: ["all"] }),
        spec("g2", "1-1", { groups: ["all", "some"] }),
        spec("g3", "1-1"),
      ),
      install("some"),
      install("all"),
      remove("some"),
      remove("all"),
    ],
  },
  {
    name: "a circle of dependencies",
    steps: [
      publish(
        spec("x", "1-1", { depends: ["y"] }),
        spec("y", "1-1", { depends: ["z"] }),
        spec("z", "1-1", { depends: ["x"] }),
      ),
      install("y"),
      remove("z"),
      { kind: "change", remove: ["y"], recursive: true },
      remove("x", "y", "z"),
    ],
  },
  {
    name: "versions: epochs, releases, letters",
    steps: [
      publish(spec("e", "2.0-1"), spec("r", "1-2"), spec("l", "1.0-1"), spec("d", "2-1")),
      install("e", "r", "l", "d"),
      publish(spec("e", "1:1.0-1"), spec("r", "1-10"), spec("l", "1.0rc1-1"), spec("d", "1-1")),
      upgrade,
      install("d"),
      { kind: "change", install: ["e", "r"], onlyNeeded: true },
    ],
  },
  {
    name: "files that are there already",
    steps: [
      publish(
        spec("f1", "1-1", { files: { "usr/lib/shared": "1" } }),
        spec("f2", "1-1", { files: { "usr/lib/shared": "2" } }),
        spec("f3", "1-1", { files: { "usr/lib/stray": "3" } }),
      ),
      install("f1", "f2"),
      install("f1"),
      install("f2"),
      { kind: "write", path: "usr/lib/stray", content: "mine" },
      install("f3"),
    ],
  },
  {
    name: "configuration that was changed",
    steps: [
      publish(spec("c", "1-1", CONFIG("1")), spec("k", "1-1", CONFIG("1", "k"))),
      install("c", "k"),
      { kind: "write", path: "etc/c.conf", content: "changed" },
      publish(spec("c", "2-1", CONFIG("2")), spec("k", "2-1", CONFIG("2", "k"))),
      upgrade,
      { kind: "write", path: "etc/c.conf", content: "changed again" },
      remove("c", "k"),
    ],
  },
  {
    name: "a file moves from one package to another",
    steps: [
      publish(spec("m1", "1-1", { files: { "usr/m": "1", "usr/n": "1" } }), spec("m2", "1-1")),
      install("m1", "m2"),
      publish(
        spec("m1", "2-1", { files: { "usr/n": "2" } }),
        spec("m2", "2-1", { files: { "usr/m": "2" } }),
      ),
      upgrade,
    ],
  },
  {
    name: "a folder becomes a link, and a link a folder",
    steps: [
      publish(
        spec("w", "1-1", { files: { "opt/a/file": "1", "opt/b": { symlink: "a" } } }),
        spec("v", "1-1", { files: { "usr/lib64": { symlink: "lib" }, "usr/lib/q": "q" } }),
      ),
      install("w", "v"),
      publish(
        spec("w", "2-1", { files: { "opt/a": { symlink: "b" }, "opt/b/file": "2" } }),
        spec("v", "1-1", { files: { "usr/lib64": { symlink: "lib" }, "usr/lib/q": "q" } }),
        spec("u", "1-1", { files: { "usr/lib64/u": "u" } }),
      ),
      upgrade,
      install("u"),
    ],
  },
  {
    name: "the administrator's link in place of a folder",
    steps: [
      publish(spec("s", "1-1", { files: { "srv/data/file": "s" } }), spec("other", "1-1")),
      { kind: "write", path: "mnt/real/keep", content: "k" },
      { kind: "link", path: "srv/data", target: "../mnt/real" },
      install("s"),
      install("other"),
    ],
  },
  {
    name: "modes, owners, hard links and names of all kinds",
    steps: [
      publish(
        spec("t", "1-1", {
          files: {
            "usr/bin/su": { content: "su", mode: 0o4755 },
            "usr/bin/su2": { hardlink: "usr/bin/su", mode: 0o4755 },
            "var/spool/t": { folder: true, mode: 0o1777 },
            "var/own": { content: "x", uid: 12, gid: 34, mode: 0o640 },
            "usr/share/é ü": "name",
            [`usr/share/${"long".repeat(30)}`]: "long",
          },
        }),
      ),
      install("t"),
      remove("t"),
    ],
  },
  {
    name: "scripts, which have no shell here",
    steps: [
      publish(spec("h", "1-1", { script: "post_install() { echo hello; }\n" })),
      install("h"),
      { kind: "change", install: ["h"], asDependencies: true },
    ],
  },
  {
    name: "optional dependencies",
    steps: [
      publish(spec("o", "1-1", { optdepends: ["p: for more", "q>=2: else"] }), spec("p", "1-1")),
      install("o"),
      install("p"),
      remove("p"),
    ],
  },
];

function CONFIG(version: string, name = "c"): Partial<PackageSpec> {
  return {
    files: { [`etc/${name}.conf`]: `version ${version}\n` },
    backup: [`etc/${name}.conf`],
  };
}

const NAMES = ["p0", "p1", "p2", "p3", "p4"] as const;
const VERSIONS = ["1-1", "1-2", "1.0.1-1", "2-1", "2rc1-1", "1:0.5-1"] as const;
const name = fc.constantFrom(...NAMES);
const wish = fc
  .tuple(
    fc.constantFrom(...NAMES, "v0", "v1"),
    fc.constantFrom("", "", "", ">=1", "<2", "=1", ">1:0"),
  )
  .map((parts) => parts.join(""));
const provision = fc
  .tuple(fc.constantFrom("v0", "v1"), fc.constantFrom("", "=1", "=2-1"))
  .map((parts) => parts.join(""));

const some = <T>(arbitrary: fc.Arbitrary<T>, maxLength: number, weight = 2): fc.Arbitrary<T[]> =>
  fc.oneof(
    { arbitrary: fc.constant<T[]>([]), weight },
    { arbitrary: fc.array(arbitrary, { maxLength }), weight: 2 },
  );

const randomSpec = (own: string): fc.Arbitrary<PackageSpec> =>
  fc
    .record({
      version: fc.constantFrom(...VERSIONS),
      depends: some(wish, 2, 1),
      provides: some(provision, 2),
      conflicts: some(wish, 1, 8),
      replaces: some(name, 1, 12),
      groups: some(fc.constantFrom("g0", "g1"), 1),
      hasClash: fc.nat(9).map((number) => number === 0),
      file: fc.constantFrom("a", "b", "folder/c"),
    })
    .map(({ version, hasClash, file, replaces, conflicts, ...lists }) => ({
      name: own,
      version,
      ...lists,
      // Nothing excludes or replaces itself by its own name.
      conflicts: conflicts.filter((text) => !text.startsWith(own)),
      replaces: replaces.filter((text) => text !== own),
      backup: [`etc/${own}`],
      files: {
        [`etc/${own}`]: version,
        [`usr/${own}/${file}`]: version,
        ...(hasClash ? { "usr/clash": own } : {}),
      },
    }));

const repository = fc.tuple(...NAMES.map((own) => fc.option(randomSpec(own), { freq: 9 })));
const targets = fc.array(fc.oneof(name, name, wish, fc.constantFrom("g0", "g1")), {
  minLength: 1,
  maxLength: 2,
});

const randomScenario: fc.Arbitrary<Scenario> = fc
  .record({
    first: repository,
    second: repository,
    wanted: targets,
    more: targets,
    edited: name,
    gone: name,
    recursive: fc.boolean(),
    removeConflicting: fc.boolean(),
  })
  .map((made) => ({
    name: "generated",
    steps: [
      publish(...made.first.filter((one) => one !== null)),
      { kind: "change", install: made.wanted, removeConflicting: made.removeConflicting },
      { kind: "write", path: `etc/${made.edited}`, content: "edited" },
      publish(...made.second.filter((one) => one !== null)),
      { kind: "change", install: made.more, upgrade: true },
      { kind: "change", remove: [made.gone], recursive: made.recursive },
    ],
  }));

/** Repositories by chance, the same ones for the same seed. */
export function randomScenarios(count: number, seed: number): readonly Scenario[] {
  return fc
    .sample(randomScenario, { numRuns: count, seed })
    .map((scenario, index) => ({ ...scenario, name: `generated ${seed}/${index}` }));
}
