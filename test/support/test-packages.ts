import { gzipSync } from "node:zlib";
import { type Metadata, metadataText } from "./metadata-text.ts";
import { tarBytes } from "./tar-bytes.ts";
import { makeWheel, type TestWheel, type WheelSpec } from "./wheel-writer.ts";

/** A package of a test: what is installed of it tells its name and version when it is imported. */
export interface PackageSpec extends Metadata {
  readonly name: string;
  /** Default "1.0". */
  readonly version?: string;
  /** Tags of its wheels. Default: one for everything; an empty list: no wheel at all. */
  readonly tags?: readonly string[];
  /** Give it a source archive, too. */
  readonly sdist?: boolean;
  /** In place of the one module. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** `entry_points.txt`. */
  readonly entryPoints?: string;
  /** Whatever else a wheel can be told to be. */
  readonly wheel?: Partial<WheelSpec>;
}

/** A file as an index offers it. */
export interface PackageFile extends TestWheel {
  /** METADATA, or PKG-INFO. */
  readonly metadata: string;
  readonly kind: "wheel" | "sdist";
}

/** The name of a package's module. */
export function moduleOf(name: string): string {
  return name.toLowerCase().replaceAll(/[-.]+/g, "_");
}

/** The files of a package: its wheels, then its source archive. */
export function packageFiles(spec: PackageSpec): PackageFile[] {
  const wheels = (spec.tags ?? ["py3-none-any"]).map((tag) => packageWheel(spec, tag));
  return spec.sdist === true ? [...wheels, packageSdist(spec)] : wheels;
}

/** A wheel of a package. */
export function packageWheel(spec: PackageSpec, tag = "py3-none-any"): PackageFile {
  const { name, version = "1.0" } = spec;
  const module = moduleOf(name);
  const metadata = metadataText(name, version, spec);
  const { entryPoints } = spec;
  const info = `${module}-${version}.dist-info`;
  const files = {
    ...(spec.files ?? { [`${module}/__init__.py`]: moduleText(name, version) }),
    ...(entryPoints === undefined ? {} : { [`${info}/entry_points.txt`]: entryPoints }),
  };
  const wheel = makeWheel({ name: module, version, tag, files, metadata, ...spec.wheel });
  return { ...wheel, metadata, kind: "wheel" };
}

function moduleText(name: string, version: string): string {
  return `NAME = ${JSON.stringify(name)}\nVERSION = ${JSON.stringify(version)}\n`;
}

/**
 * A source archive with a build backend of its own, which needs nothing but Python: it hands out
 * the wheel that lies in the archive.
 */
export function packageSdist(spec: PackageSpec): PackageFile {
  const { name, version = "1.0" } = spec;
  const module = moduleOf(name);
  const folder = `${module}-${version}`;
  const metadata = metadataText(name, version, spec);
  const content = sourceTree(spec);
  const entries = Object.entries(content).map(([path, text]) => ({
    path: `${folder}/${path}`,
    content: text,
  }));
  const bytes = Buffer.from(gzipSync(tarBytes(entries)));
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  return { filename: `${folder}.tar.gz`, bytes, sha256, metadata, kind: "sdist" };
}

/** The files of a source tree that can be built, by path. */
export function sourceTree(spec: PackageSpec): Record<string, string> {
  const { name, version = "1.0" } = spec;
  const wheel = packageWheel(spec);
  const data = wheel.bytes.toString("base64");
  return {
    "PKG-INFO": wheel.metadata,
    "pyproject.toml": [
      "[project]",
      `name = ${JSON.stringify(name)}`,
      `version = ${JSON.stringify(version)}`,
      `dependencies = ${JSON.stringify(spec.requires ?? [])}`,
      "",
      "[build-system]",
      "requires = []",
      'build-backend = "backend"',
      'backend-path = ["."]',
      "",
    ].join("\n"),
    "backend.py": BACKEND,
    "wheel.json": JSON.stringify({ name: wheel.filename, data }),
  };
}

const BACKEND = `
import base64, json, pathlib

def build_wheel(folder, config_settings=None, metadata_directory=None):
    wheel = json.loads(pathlib.Path("wheel.json").read_text())
    pathlib.Path(folder, wheel["name"]).write_bytes(base64.b64decode(wheel["data"]))
    return wheel["name"]
`;
