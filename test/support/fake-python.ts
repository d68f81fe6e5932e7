import { ANSWER_MARK } from "../../src/blast/python/probe-script.ts";
import type { Workspace } from "./workspace.ts";

/** What a made-up Python says of itself. */
export interface FakePython {
  readonly version: string;
  readonly implementation?: string;
  readonly freeThreaded?: boolean;
}

/**
 * Makes a folder that looks like an installation of Python; its executable answers the probe and
 * counts how often it is started (`starts` beside it).
 *
 * @param prefix relative to the workspace
 * @returns the absolute path of the executable
 */
export function fakePython(work: Workspace, prefix: string, python: FakePython): string {
  return work.write(`${prefix}/bin/python3`, fakePythonScript(python), { mode: 0o755 });
}

/** The executable of {@link fakePython}; its installation may be moved. */
export function fakePythonScript(python: FakePython): string {
  const { version, implementation = "cpython", freeThreaded = false } = python;
  const [major = "3", minor = "0"] = version.split(".");
  const root = ROOT;
  const name = `python${major}.${Number.parseInt(minor, 10)}`;
  const paths = (base: string): Record<string, string> => ({
    stdlib: `${base}/lib/${name}`,
    purelib: `${base}/lib/${name}/site-packages`,
    platlib: `${base}/lib/${name}/site-packages`,
    include: `${base}/include/${name}`,
    scripts: `${base}/bin`,
    data: base,
  });
  const shown = implementation === "cpython" ? "CPython" : "PyPy";
  const answer = {
    executable: `${root}/bin/python3`,
    version,
    major: Number(major),
    minor: Number.parseInt(minor, 10),
    implementation,
    markers: {
      implementation_name: implementation,
      implementation_version: version,
      os_name: "posix",
      platform_machine: "x86_64",
      platform_python_implementation: shown,
      platform_release: "1",
      platform_system: "Linux",
      platform_version: "1",
      python_full_version: version,
      python_version: `${major}.${Number.parseInt(minor, 10)}`,
      sys_platform: "linux",
    },
    prefix: root,
    basePrefix: root,
    baseExecPrefix: root,
    platlibdir: "lib",
    paths: paths(root),
    venvPaths: paths("@"),
    platform: "linux-x86_64",
    pointerBits: 64,
    soabi: null,
    extSuffix: null,
    extensionSuffixes: null,
    debug: false,
    freeThreaded,
    pymalloc: null,
    libc: "glibc 2.36",
    macVersion: null,
    macArch: null,
  };
  const line = `${ANSWER_MARK}${JSON.stringify(answer)}`;
  // Only what the shell itself knows: PATH may lead to made-up Pythons alone.
  return `#!/bin/sh
if [ "$1" = --version ]; then echo "Python ${version}"; exit; fi
root=$(cd "\${0%/*}/.." && pwd)
echo x >>"$root/bin/starts"
printf '%s\\n' '${line.replaceAll(ROOT, `'"$root"'`)}'
`;
}

const ROOT = "@root@";
