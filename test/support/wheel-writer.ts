import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeZip, type ZipEntry, type ZipOptions } from "./zip-writer.ts";

/** A wheel that a test makes. */
export interface WheelSpec {
  /** Default "demo". */
  readonly name?: string;
  /** Default "1.0". */
  readonly version?: string;
  /** In the file's name and WHEEL. Default "py3-none-any". */
  readonly tag?: string;
  /** By path. Default: one module. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly executable?: readonly string[];
  /** Whole files of the dist-info folder; undefined leaves one out. */
  readonly metadata?: string | undefined;
  readonly wheel?: string | undefined;
  readonly record?: string | undefined;
  /** Changes RECORD's lines before they are written. */
  readonly editRecord?: (lines: string[]) => string[];
  /** Changes the members before they are written. */
  readonly edit?: (entries: ZipEntry[]) => ZipEntry[];
  readonly zip?: ZipOptions;
  readonly stored?: boolean;
}

export interface TestWheel {
  readonly filename: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** Makes a wheel (PEP 427), valid but for what the spec changes. */
export function makeWheel(spec: WheelSpec = {}): TestWheel {
  const { name = "demo", version = "1.0", tag = "py3-none-any" } = spec;
  const info = `${name}-${version}.dist-info`;
  const files: Record<string, string | Uint8Array> = {
    ...(spec.files ?? { [`${name}/__init__.py`]: "answer = 42\n" }),
  };
  const metadata = "metadata" in spec ? spec.metadata : metadataOf(name, version);
  if (metadata !== undefined) files[`${info}/METADATA`] = metadata;
  const wheel = "wheel" in spec ? spec.wheel : WHEEL_TEXT.replace("py3-none-any", tag);
  if (wheel !== undefined) files[`${info}/WHEEL`] = wheel;
  const lines = Object.entries(files).map(([path, content]) => recordLine(path, content));
  lines.push(`${info}/RECORD,,`);
  const edited = spec.editRecord?.(lines) ?? lines;
  const record = "record" in spec ? spec.record : `${edited.join("\n")}\n`;
  if (record !== undefined) files[`${info}/RECORD`] = record;
  const entries = Object.entries(files).map(
    ([path, content]): ZipEntry => ({
      name: path,
      content,
      mode: spec.executable?.includes(path) === true ? 0o100755 : 0o100644,
      ...(spec.stored === undefined ? {} : { stored: spec.stored }),
    }),
  );
  const bytes = writeZip(spec.edit?.(entries) ?? entries, spec.zip);
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  return { filename: `${name}-${version}-${tag}.whl`, bytes, sha256 };
}

/** Writes a wheel into a folder; its path. */
export function writeWheel(folder: string, wheel: TestWheel): string {
  const path = join(folder, wheel.filename);
  writeFileSync(path, wheel.bytes);
  return path;
}

export const WHEEL_TEXT =
  "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";

export function metadataOf(name: string, version: string): string {
  const lines = ["Metadata-Version: 2.1", `Name: ${name}`, `Version: ${version}`];
  return [...lines, "Requires-Dist: other>=1", "", "Text", ""].join("\n");
}

/** A line of RECORD, as the wheel's own tools write it. */
export function recordLine(path: string, content: string | Uint8Array): string {
  const digest = new Bun.CryptoHasher("sha256").update(content).digest("base64url");
  const quoted = /[",]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path;
  return `${quoted},sha256=${digest},${Buffer.byteLength(content)}`;
}
