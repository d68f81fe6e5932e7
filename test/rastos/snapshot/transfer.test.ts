import { expect, test } from "bun:test";
import { chmodSync, existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { compress, decompress, writeToFile } from "../../../src/rastos/snapshot/transfer.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

async function* two(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("one ");
  yield Buffer.from("two");
}

test("a file is replaced when the stream is whole, and stays where it breaks", async () => {
  using work = createWorkspace();
  const path = work.write("file", "old");
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield* two();
    throw new Error("the source is gone");
  };
  const failure = await writeToFile(path, broken()).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "E_IO" });
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(await writeToFile(path, two())).toBe(7);
  expect(readFileSync(path, "utf8")).toBe("one two");
  expect(existsSync(`${path}.part`)).toBe(false);
});

test("a source that fails says so when compressed too, and ends with its reader", async () => {
  const fault = new Fault({ code: "E_NOT_FOUND", message: "no btrfs" });
  let isEnded = false;
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield* two();
    throw fault;
  };
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        yield crypto.getRandomValues(new Uint8Array(60_000));
        await Bun.sleep(0);
      }
    } finally {
      isEnded = true;
    }
  };
  using work = createWorkspace();
  const path = work.at("file");
  expect(await writeToFile(path, compress(broken())).catch((error: unknown) => error)).toBe(fault);
  const packed = async function* (): AsyncGenerator<Uint8Array> {
    yield Bun.zstdCompressSync("some bytes").subarray(0, 8);
    throw fault;
  };
  const read = Array.fromAsync(decompress(packed())).catch((error: unknown) => error);
  expect(await read).toBe(fault);
  for await (const _ of compress(endless())) break;
  while (!isEnded) await Bun.sleep(1);
});

test("another machine that refuses is not sent the rest", async () => {
  using work = createWorkspace();
  work.write("bin/ssh", "#!/bin/sh\necho it is here already >&2\nexit 1\n");
  chmodSync(work.at("bin/ssh"), 0o755);
  const module = join(import.meta.dir, "../../../src/rastos/snapshot/transfer.ts");
  const script = `
    import { sendTo } from ${JSON.stringify(module)};
    async function* endless() {
      // As from a file or a program: others have their turn.
      for (;; await Bun.sleep(0)) yield new Uint8Array(65536);
    }
    const fault = await sendTo({ name: "nas" }, endless()).catch((error) => error);
    console.log(JSON.stringify([fault.code, fault.excerpt]));
  `;
  const env = { ...process.env, PATH: `${work.at("bin")}:${process.env["PATH"]}` };
  const run = Bun.spawn([process.execPath, "-e", script], { env, stdout: "pipe" });
  expect(await run.stdout.json()).toEqual(["E_NETWORK", ["it is here already"]]);
});

testUnless(firstReason(needsRoot(), needsProgram("mknod")))("a device stays one", async () => {
  using work = createWorkspace();
  const full = work.at("full");
  Bun.spawnSync(["mknod", full, "c", "1", "7"]);
  const failure = await writeToFile(full, two()).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "E_NO_SPACE" });
  expect(lstatSync(full).isCharacterDevice()).toBe(true);
});
