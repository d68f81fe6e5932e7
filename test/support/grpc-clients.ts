import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { oraclePython } from "./python-tools.ts";

const ROOT = resolve(import.meta.dir, "../..");
const PROTOS = join(ROOT, "proto");

/** A Python with grpcio, or undefined. */
export function grpcPython(): string | undefined {
  const python = oraclePython();
  if (python === undefined) return undefined;
  const found = Bun.spawnSync([python, "-c", "import grpc, grpc_tools"], { stderr: "ignore" });
  return found.success ? python : undefined;
}

/** A reason when bin/test could not install grpcio. */
export function needsGrpcPython(): string | undefined {
  return grpcPython() === undefined ? "needs grpcio in .tools/python (bin/test)" : undefined;
}

/** Where grpcurl is, or undefined. */
export function grpcurlPath(): string | undefined {
  const own = join(ROOT, ".tools/bin/grpcurl");
  return existsSync(own) ? own : (Bun.which("grpcurl") ?? undefined);
}

/** A reason when there is no grpcurl. */
export function needsGrpcurl(): string | undefined {
  const how = "go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4, into .tools/bin";
  return grpcurlPath() === undefined ? `needs grpcurl: ${how}` : undefined;
}

/** What test/support/grpc-client.py says after its questions. */
export async function askWithPython(address: string, ...args: string[]): Promise<unknown> {
  const script = join(import.meta.dir, "grpc-client.py");
  const { out, err } = await run([grpcPython() ?? "", script, PROTOS, address, ...args]);
  if (out === "") throw new Error(err);
  return JSON.parse(out);
}

/** What grpcurl prints, stdout and stderr. */
export async function grpcurl(...args: string[]): Promise<string> {
  const program = [grpcurlPath() ?? "", "-import-path", PROTOS, "-proto", "blit.proto", ...args];
  const { out, err } = await run(program);
  return out + err;
}

/** The server is in this process: it must go on while the client runs. */
async function run(command: string[]): Promise<{ out: string; err: string }> {
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  return { out, err };
}
