/** Source trees with a build backend of their own that does as it is told, also wrong. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { type TarEntry, tarBytes } from "./tar-bytes.ts";

/** What the backend does. */
export interface TreeSpec {
  /** Default "demo". */
  readonly name?: string;
  /** Default "1.0". */
  readonly version?: string;
  /** Lines of METADATA. */
  readonly metadata?: string;
  /** Of the wheel. Default: one module that holds the version. */
  readonly files?: Readonly<Record<string, string>>;
  /** Hooks that it has. Default: those of PEP 517 that must be there, and those of PEP 660. */
  readonly hooks?: readonly string[];
  /** What `get_requires_for_build_wheel` says. */
  readonly requires?: readonly string[];
  /** Of the wheel's name. Default "py3-none-any". */
  readonly tag?: string;
  /** In place of the wheel's true name. */
  readonly wheelName?: string;
  /** Python that runs at the start of each hook. */
  readonly code?: string;
  /** Lines of [build-system] besides. */
  readonly buildSystem?: string;
  /** Lines of pyproject.toml besides. */
  readonly pyproject?: string;
}

const HOOKS = [
  "build_wheel",
  "build_editable",
  "get_requires_for_build_wheel",
  "get_requires_for_build_editable",
];

/** The files of a source tree, by path. */
export function buildTree(spec: TreeSpec = {}): Record<string, string> {
  const { name = "demo", version = "1.0", tag = "py3-none-any", hooks = HOOKS } = spec;
  const module = name.replaceAll("-", "_");
  const facts = {
    module,
    version,
    tag,
    requires: spec.requires ?? [],
    wheelName: spec.wheelName ?? null,
    metadata: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${spec.metadata ?? ""}`,
    files: spec.files ?? { [`${module}.py`]: `VERSION = ${JSON.stringify(version)}\n` },
  };
  return {
    "pyproject.toml": [
      "[build-system]",
      ...(spec.buildSystem?.includes("requires =") === true ? [] : ["requires = []"]),
      'build-backend = "backend:hooks"',
      'backend-path = ["."]',
      spec.buildSystem ?? "",
      spec.pyproject ?? "",
    ].join("\n"),
    "backend.py": BACKEND.replace("HOOKS", JSON.stringify(hooks)).replace(
      "CODE",
      (spec.code ?? "pass").replaceAll("\n", "\n    "),
    ),
    "facts.json": JSON.stringify(facts),
  };
}

/** An sdist of a tree. */
export function sdistOf(spec: TreeSpec = {}): {
  readonly filename: string;
  readonly bytes: Buffer;
} {
  const { name = "demo", version = "1.0" } = spec;
  const stem = `${name.replaceAll("-", "_")}-${version}`;
  const entries: TarEntry[] = Object.entries(buildTree(spec)).map(([path, content]) => ({
    path: `${stem}/${path}`,
    content,
  }));
  return { filename: `${stem}.tar.gz`, bytes: Buffer.from(gzipSync(tarBytes(entries))) };
}

/** The hooks that were called, if the variable TEST_CALLS named this file. */
export function callsIn(path: string): string[] {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n");
  } catch {
    return [];
  }
}

const BACKEND = `
import base64, hashlib, json, os, sys, types, zipfile

with open("facts.json") as file:
    facts = json.load(file)
stem = facts["module"] + "-" + facts["version"]
info = stem + ".dist-info"

def begin(hook, settings):
    if "TEST_CALLS" in os.environ:
        with open(os.environ["TEST_CALLS"], "a") as file:
            file.write(hook + "\\n")
    print("settings", json.dumps(settings))
    CODE

def zip_to(folder, files):
    files = dict(files)
    files[info + "/METADATA"] = facts["metadata"]
    files[info + "/WHEEL"] = (
        "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: %s\\n" % facts["tag"])
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += "%s,sha256=%s,%d\\n" % (path, digest.decode(), len(text.encode()))
    files[info + "/RECORD"] = record + info + "/RECORD,,\\n"
    name = facts["wheelName"] or "%s-%s.whl" % (stem, facts["tag"])
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return name

def build_wheel(folder, settings=None, metadata=None):
    begin("build_wheel", settings)
    return zip_to(folder, facts["files"])

def build_editable(folder, settings=None, metadata=None):
    begin("build_editable", settings)
    return zip_to(folder, {facts["module"] + ".pth": os.path.abspath("src") + "\\n"})

def get_requires_for_build_wheel(settings=None):
    begin("get_requires_for_build_wheel", settings)
    return facts["requires"]

def get_requires_for_build_editable(settings=None):
    begin("get_requires_for_build_editable", settings)
    return facts["requires"]

def prepare_metadata_for_build_wheel(folder, settings=None):
    begin("prepare_metadata_for_build_wheel", settings)
    os.mkdir(os.path.join(folder, info))
    with open(os.path.join(folder, info, "METADATA"), "w") as file:
        file.write(facts["metadata"])
    return info

hooks = types.SimpleNamespace(**{name: globals()[name] for name in HOOKS})
`;
