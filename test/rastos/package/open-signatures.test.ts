import { expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, readFileSync } from "node:fs";
import { faultOf, makePackageWorld } from "../../support/package-world.ts";
import { makeSigner, type PackageSpec } from "../../support/pacman-repository.ts";
import { describeUnless, firstReason, needsProgram, needsRoot } from "../../support/skip.ts";

// Many processes: slow where others work too.
setDefaultTimeout(60_000);

const missing = firstReason(needsRoot(), needsProgram("pacman", "gpg"));
const SPECS: readonly PackageSpec[] = [{ name: "a", version: "1-1", files: { "usr/a": "a" } }];

for (const kind of ["libalpm", "pacman"] as const) {
  describeUnless(missing)(`signatures (${kind})`, () => {
    test("what a known key has signed is taken, and nothing else", async () => {
      using world = makePackageWorld();
      const signer = makeSigner(world.work.at("gpg"));
      const options = { gpgFolder: signer.gpgFolder, signatureLevel: "Required" };
      const manager = world.manager(kind, options);

      world.publish(SPECS);
      const unsigned = await faultOf(manager.sync());
      expect([unsigned.code, unsigned.message]).toEqual([
        "E_INTEGRITY",
        'Cannot fetch the databases of the repositories: the signature of "test.db" does not count',
      ]);

      const { packages } = world.publish(SPECS, { signer, signsDatabase: true });
      await manager.sync();
      await manager.run({ install: ["a"] });
      expect(readFileSync(`${world.root}/usr/a`, "utf8")).toBe("a");

      // The same file by its path, without the signature beside it.
      const copy = world.work.at("a-1-1-any.pkg.tar.zst");
      copyFileSync(packages[0]?.path ?? "", copy);
      await manager.run({ files: [copy] });
      const strict = world.manager(kind, { ...options, fileSignatureLevel: "Required" });
      const file = await faultOf(strict.run({ files: [copy] }));
      expect([file.code, file.message]).toEqual([
        "E_INTEGRITY",
        `Cannot change packages: the signature of "${copy}" does not count`,
      ]);
    });

    test("the key of somebody else is named", async () => {
      using world = makePackageWorld();
      const signer = makeSigner(world.work.at("gpg"));
      const stranger = makeSigner(world.work.at("other"), "A Stranger");
      world.publish(SPECS, { signer: stranger });
      const signatureLevel = "Required DatabaseOptional";
      const manager = world.manager(kind, { gpgFolder: signer.gpgFolder, signatureLevel });
      await manager.sync();
      const fault = await faultOf(manager.run({ install: ["a"] }));
      expect(fault.code).toBe("E_INTEGRITY");
      expect(fault.message).toContain("does not count");
      expect(fault.excerpt).toContain(`"a" is signed with the key ${stranger.key}`);
      expect(await manager.installed()).toEqual([]);
    });

    test("packages without a signature are refused where one is required", async () => {
      using world = makePackageWorld();
      const signer = makeSigner(world.work.at("gpg"));
      world.publish(SPECS);
      const signatureLevel = "PackageRequired DatabaseNever";
      const manager = world.manager(kind, { gpgFolder: signer.gpgFolder, signatureLevel });
      await manager.sync();
      const fault = await faultOf(manager.run({ install: ["a"] }));
      expect([fault.code, fault.message]).toEqual([
        "E_INTEGRITY",
        'Cannot change packages: the signature of "a-1-1-any.pkg.tar.zst" does not count',
      ]);
    });
  });
}
