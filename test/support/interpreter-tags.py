"""Prints what the tags of this interpreter follow from, and the tags by `packaging`.

The argument is the folder that holds the library; it wants Python 3.9 or newer.
"""

import json
import os
import platform
import struct
import sys
import sysconfig

sys.path.append(sys.argv[1])

from packaging import tags  # noqa: E402
from packaging._musllinux import _get_musl_version  # noqa: E402

variable = sysconfig.get_config_var
on_linux = sys.platform.startswith("linux")
libc = os.confstr("CS_GNU_LIBC_VERSION") if on_linux else None
mac, _, mac_arch = platform.mac_ver()
facts = {
    "implementation": sys.implementation.name,
    "version": sys.version_info[:2],
    "platform": sysconfig.get_platform(),
    "pointerBits": struct.calcsize("P") * 8,
    "extSuffix": variable("EXT_SUFFIX"),
    "debug": bool(variable("Py_DEBUG")),
    "freeThreaded": bool(variable("Py_GIL_DISABLED")),
    "pymalloc": bool(variable("WITH_PYMALLOC")),
}
if libc and libc.startswith("glibc "):
    facts["glibc"] = [int(part) for part in libc[6:].split(".")[:2]]
if on_linux and _get_musl_version(sys.executable):
    facts["musl"] = list(_get_musl_version(sys.executable))
if mac:
    facts["macos"] = [int(part) for part in mac.split(".")[:2]]
    facts["macArch"] = mac_arch
print(json.dumps({"facts": facts, "tags": [str(tag) for tag in tags.sys_tags()]}))
