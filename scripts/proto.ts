#!/usr/bin/env bun
/**
 * Makes the code of proto/blit.proto: `bun run proto`. The result is committed, so that a build
 * needs no buf. With a folder as argument it goes there.
 */
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "..");

/** Where the generated code lies. */
export const PROTO_FOLDER = join(ROOT, "src/blit/control/proto");

if (import.meta.main) process.exitCode = generateProto(process.argv[2] ?? PROTO_FOLDER);

/**
 * Lints the protocol and generates its code.
 *
 * @returns buf's exit code
 */
export function generateProto(folder: string): number {
  const buf = join(ROOT, "node_modules/.bin/buf");
  const template = JSON.stringify({
    version: "v2",
    plugins: [
      {
        local: join(ROOT, "node_modules/.bin/protoc-gen-es"),
        out: resolve(folder),
        opt: ["target=js+dts"],
      },
    ],
  });
  for (const args of [["lint"], ["generate", "--template", template]]) {
    const run = Bun.spawnSync([buf, ...args], {
      cwd: join(ROOT, "proto"),
      stdout: "inherit",
      stderr: "inherit",
    });
    if (run.exitCode !== 0) return run.exitCode ?? 1;
  }
  return 0;
}
