import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { spawnCode } from "../../../ffi/spawn/code.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

/** The bytes that an assembler makes of a file here. */
function assembled(name: string, prefix: string): Uint8Array {
  using work = createWorkspace();
  const [object, bytes] = [work.at("code.o"), work.at("code.bin")];
  for (const command of [
    [`${prefix}as`, "-o", object, join(import.meta.dir, name)],
    [`${prefix}objcopy`, "-O", "binary", "-j", ".text", object, bytes],
  ]) {
    const result = Bun.spawnSync(command, { stderr: "pipe" });
    if (!result.success) throw new Error(result.stderr.toString());
  }
  return new Uint8Array(readFileSync(bytes));
}

const cross = (name: string, prefix: string) => (process.arch === name ? "" : prefix);

for (const [name, prefix] of [
  ["x64", cross("x64", "x86_64-linux-gnu-")],
  ["arm64", cross("arm64", "aarch64-linux-gnu-")],
] as const) {
  testUnless(needsProgram(`${prefix}as`, `${prefix}objcopy`))(
    `the code of ${name} is what its assembler text says`,
    () => {
      expect(spawnCode(name)?.toHex()).toBe(assembled(`${name}.S`, prefix).toHex());
    },
  );
}
