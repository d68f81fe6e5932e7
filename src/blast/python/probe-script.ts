/**
 * What an interpreter is asked, once, by `-I -S -B -c`: no site module, no environment variables,
 * nothing written. Runs on Python 3.6 and newer, and prints one line of JSON behind a marker.
 */

/** Begins the line of the answer: whatever a patched interpreter prints besides is skipped. */
export const ANSWER_MARK = "\u001eblast:";

// Paths of an environment come out relative to its root: "@" stands for it.
export const PROBE_SCRIPT = `
import sys, os, json, platform, struct, sysconfig

def full(version):
    text = "%d.%d.%d" % version[:3]
    return text if version[3] == "final" else text + version[3][0] + str(version[4])

def paths(scheme, root):
    names = ("stdlib", "platstdlib", "purelib", "platlib", "include", "scripts", "data")
    if root is None:
        found = sysconfig.get_paths() if scheme is None else sysconfig.get_paths(scheme)
    else:
        keys = ("base", "platbase", "installed_base", "installed_platbase")
        found = sysconfig.get_paths(scheme, dict((key, root) for key in keys))
    return dict((name, found[name]) for name in names if name in found)

schemes = sysconfig.get_scheme_names()
name = sys.implementation.name
if "venv" in schemes:
    scheme = "venv"
elif name == "pypy" and sys.version_info < (3, 8) and "pypy" in schemes:
    scheme = "pypy"
else:
    scheme = "nt" if os.name == "nt" else "posix_prefix"
if hasattr(os, "uname"):
    uname = os.uname()
    system, release, version, machine = uname.sysname, uname.release, uname.version, uname.machine
else:
    system, release = platform.system(), platform.release()
    version, machine = platform.version(), platform.machine()
try:
    libc = os.confstr("CS_GNU_LIBC_VERSION") if sys.platform.startswith("linux") else None
except (AttributeError, OSError, ValueError):
    libc = None
implementation = platform.python_implementation()
variable = sysconfig.get_config_var
abis = None
if os.name == "nt":
    import importlib.machinery
    abis = list(importlib.machinery.EXTENSION_SUFFIXES)
print("\\x1eblast:" + json.dumps({
    "executable": sys.executable,
    "version": full(sys.version_info),
    "major": sys.version_info[0],
    "minor": sys.version_info[1],
    "implementation": name,
    "markers": {
        "implementation_name": name,
        "implementation_version": full(sys.implementation.version),
        "os_name": os.name,
        "platform_machine": machine,
        "platform_python_implementation": implementation,
        "platform_release": release,
        "platform_system": system,
        "platform_version": version,
        "python_full_version": platform.python_version(),
        "python_version": "%d.%d" % sys.version_info[:2],
        "sys_platform": sys.platform,
    },
    "prefix": sys.prefix,
    "basePrefix": sys.base_prefix,
    "baseExecPrefix": sys.base_exec_prefix,
    "platlibdir": getattr(sys, "platlibdir", "lib"),
    "paths": paths(None, None),
    "venvPaths": paths(scheme, "@"),
    "platform": sysconfig.get_platform(),
    "pointerBits": struct.calcsize("P") * 8,
    "soabi": variable("SOABI"),
    "extSuffix": variable("EXT_SUFFIX"),
    "extensionSuffixes": abis,
    "debug": bool(variable("Py_DEBUG") or hasattr(sys, "gettotalrefcount")),
    "freeThreaded": bool(variable("Py_GIL_DISABLED")),
    "pymalloc": variable("WITH_PYMALLOC"),
    "libc": libc,
    "macVersion": platform.mac_ver()[0] if sys.platform == "darwin" else None,
    "macArch": platform.mac_ver()[2] if sys.platform == "darwin" else None,
}))
`;
