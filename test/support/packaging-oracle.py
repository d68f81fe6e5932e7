"""Answers questions about PEP 440, 425, 427 and 625 by the `packaging` library.

Each line on stdin is a JSON list, each line on stdout the answer to it. Numbers of versions come
as text, since they may be too large for JavaScript.
  ["version", text]               its parts, or null if it is none
  ["ranks", [text, ...]]          the place of each in the order, equal ones with equal places
  ["specifiers", text]            its normal text and whether it asks for pre-releases, or null
  ["contains", text, [text, ...]] for each version a string of 0 and 1: prereleases None, True, False
  ["relation", text, text]        of the sets of two texts: is_subset, is_disjoint, is_unsatisfiable
  ["name", text]                  the normal form or null, and whether it is normalised
  ["wheel", filename]             what it says, or null
  ["sdist", filename]             what it says, or null
  ["platforms", facts]            platform tags on a machine with these facts
  ["tags", facts]                 tags of an interpreter with these facts
"""

import json
import sys
import sysconfig

from packaging import _manylinux, _musllinux, tags, utils
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version


def text_or_none(value):
    return None if value is None else str(value)


def version(text):
    try:
        parsed = Version(text)
    except (InvalidVersion, ValueError):
        return None
    return {
        "text": str(parsed),
        "epoch": str(parsed.epoch),
        "release": [str(number) for number in parsed.release],
        "pre": None if parsed.pre is None else parsed.pre[0] + str(parsed.pre[1]),
        "post": text_or_none(parsed.post),
        "dev": text_or_none(parsed.dev),
        "local": parsed.local,
        "isPrerelease": parsed.is_prerelease,
        "isPostrelease": parsed.is_postrelease,
        "base": parsed.base_version,
        "public": parsed.public,
    }


def ranks(texts):
    versions = [Version(text) for text in texts]
    places = {}
    for item in sorted(versions):
        places.setdefault(item, len(places))
    return [places[item] for item in versions]


def specifiers(text):
    try:
        parsed = SpecifierSet(text)
        return {"text": str(parsed), "prereleases": bool(parsed.prereleases)}
    except (InvalidSpecifier, InvalidVersion, ValueError):
        return None


def contains(text, texts):
    parsed = SpecifierSet(text)
    return [
        "".join(
            str(int(parsed.contains(Version(item), prereleases=choice)))
            for choice in (None, True, False)
        )
        for item in texts
    ]


def relation(left, right):
    left, right = SpecifierSet(left), SpecifierSet(right)
    return [
        left.is_subset(right),
        left.is_disjoint(right),
        left.is_unsatisfiable(),
    ]


def name(text):
    try:
        normal = utils.canonicalize_name(text, validate=True)
    except utils.InvalidName:
        normal = None
    return [normal, utils.is_normalized_name(text)]


def wheel(filename):
    try:
        project, parsed, build, found = utils.parse_wheel_filename(filename)
    except (utils.InvalidWheelFilename, ValueError):
        return None
    return {
        "name": project,
        "version": str(parsed),
        "build": [str(part) for part in build],
        "tags": sorted(str(tag) for tag in found),
    }


def sdist(filename):
    try:
        project, parsed = utils.parse_sdist_filename(filename)
    except (utils.InvalidSdistFilename, ValueError):
        return None
    return {"name": project, "version": str(parsed)}


def platforms(facts):
    """Runs packaging's own code as if this were another machine."""
    bits32 = facts["pointerBits"] == 32
    system = facts["platform"]
    if system.startswith("macosx"):
        arch = tags._mac_arch(facts["macArch"], bits32)
        return list(tags.mac_platforms(tuple(facts["macos"]), arch))
    if system.startswith("ios"):
        _, number, multiarch = system.split("-", 2)
        return list(tags.ios_platforms(tuple(map(int, number.split("."))), multiarch))
    if system.startswith("android"):
        _, level, abi = system.split("-", 2)
        return list(tags.android_platforms(int(level), abi))
    glibc = tuple(facts.get("glibc") or (-1, -1))
    musl = facts.get("musl")
    patches = [
        (sysconfig, "get_platform", lambda: system),
        (_manylinux, "_get_glibc_version", lambda: _manylinux._GLibCVersion(*glibc)),
        (_manylinux, "_is_linux_armhf", lambda executable: facts.get("hardFloat") is not False),
        (_manylinux, "_is_linux_i686", lambda executable: True),
        (_musllinux, "_get_musl_version", lambda path: musl and _musllinux._MuslVersion(*musl)),
    ]
    saved = [(module, key, getattr(module, key)) for module, key, _ in patches]
    try:
        for module, key, value in patches:
            setattr(module, key, value)
        if system.startswith("linux"):
            return list(tags._linux_platforms(bits32))
        return list(tags._generic_platforms())
    finally:
        for module, key, value in saved:
            setattr(module, key, value)


def interpreter_tags(facts):
    values = {
        "Py_DEBUG": facts.get("debug", False),
        "Py_GIL_DISABLED": facts.get("freeThreaded", False),
        "WITH_PYMALLOC": facts.get("pymalloc"),
        "EXT_SUFFIX": facts.get("extSuffix"),
    }
    found = platforms(facts)
    number = tuple(facts["version"])
    digits = "".join(map(str, number))
    saved = tags._get_config_var, tags.platform_tags
    tags._get_config_var = lambda key, warn=False: values.get(key)
    tags.platform_tags = lambda: found
    try:
        if facts["implementation"] == "cpython":
            own = list(tags.cpython_tags(number))
            interpreter = "cp" + digits
        else:
            short = tags.INTERPRETER_SHORT_NAMES.get(facts["implementation"])
            short = short or facts["implementation"]
            own = list(tags.generic_tags(short + digits))
            interpreter = "pp3" if short == "pp" else None
        own += tags.compatible_tags(number, interpreter)
    finally:
        tags._get_config_var, tags.platform_tags = saved
    return [str(tag) for tag in own]


ANSWERS = {
    "version": version,
    "ranks": ranks,
    "specifiers": specifiers,
    "contains": contains,
    "relation": relation,
    "name": name,
    "wheel": wheel,
    "sdist": sdist,
    "platforms": lambda facts: [tag.lower() for tag in platforms(facts)],
    "tags": interpreter_tags,
}

for line in sys.stdin:
    kind, *arguments = json.loads(line)
    print(json.dumps(ANSWERS[kind](*arguments)))
