import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { signingKeyOf } from "../../../src/rastos/package/signing-key.ts";
import { makeSigner, signFile } from "../../support/pacman-repository.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

// Many processes: slow where others work too.
setDefaultTimeout(60_000);

testUnless(needsProgram("gpg"))("the key that gpg signed with", () => {
  using work = createWorkspace();
  const signer = makeSigner(work.at("gpg"));
  const path = work.write("file", "content");
  signFile(path, signer);
  expect(signingKeyOf(readFileSync(`${path}.sig`))).toBe(signer.key);
});

test("any bytes are read", () => {
  const head = fc.constantFrom([], [0x88], [0xc2, 0x05, 0x04], [0x89, 0, 9, 4, 0, 22, 8, 0, 5]);
  fc.assert(
    fc.property(head, fc.uint8Array(), (start, rest) => {
      const key = signingKeyOf(Uint8Array.from([...start, ...rest]));
      expect(key === undefined || /^[0-9A-F]*$/.test(key)).toBe(true);
    }),
  );
});
