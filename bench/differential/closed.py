"""Judges two lists of pins by the `packaging` library and by what the index says of each version.

Standard input: one JSON object with
  index        address of the simple pages (PEP 691 JSON, PEP 658)
  requires     requirement lines; constraints, overrides: the same
  lower        in a universal run the lowest Python, else null
  markers      marker values that differ from this interpreter's
  answers      {tool: [pin lines]}, two of them
Standard output: one JSON object with
  flaws        {tool: [what is wrong]}: something missing, twice, outside of what somebody asks
               for, for another Python, or needed by nobody
  differences  [[name, first's version, second's version, environments, one of them]]
  environments how many were looked at
It shares no code with what it judges.
"""

import concurrent.futures
import functools
import io
import itertools
import json
import re
import sys
import tarfile
import urllib.parse
import urllib.request
import zipfile

from packaging.markers import default_environment
from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import sys_tags
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

PLATFORMS = [
    ("linux", "posix", "Linux", "x86_64"),
    ("darwin", "posix", "Darwin", "arm64"),
    ("win32", "nt", "Windows", "AMD64"),
    ("linux", "posix", "Linux", "aarch64"),
]
IMPLEMENTATIONS = [("cpython", "CPython"), ("pypy", "PyPy")]
MINORS = range(8, 17)
ASK = json.load(sys.stdin)
RANKS = {tag: rank for rank, tag in enumerate(sys_tags())}


def environments():
    if ASK["lower"] is None:
        return [{**default_environment(), **ASK["markers"], "extra": ""}]
    found = []
    for minor, platform, implementation, patch in itertools.product(
        MINORS, PLATFORMS, IMPLEMENTATIONS, (0, 5)
    ):
        full = f"3.{minor}.{patch}"
        if Version(full) < Version(ASK["lower"]):
            continue
        found.append(
            {
                "python_version": f"3.{minor}",
                "python_full_version": full,
                "implementation_version": full,
                "sys_platform": platform[0],
                "os_name": platform[1],
                "platform_system": platform[2],
                "platform_machine": platform[3],
                "implementation_name": implementation[0],
                "platform_python_implementation": implementation[1],
                "platform_release": "",
                "platform_version": "",
                "extra": "",
            }
        )
    return found


def get(url, accept="*/*"):
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.read()


@functools.cache
def page(name):
    address = urllib.parse.urljoin(ASK["index"], name + "/")
    files = json.loads(get(address, "application/vnd.pypi.simple.v1+json"))["files"]
    by_version = {}
    for file in files:
        filename = file["filename"]
        try:
            if filename.endswith(".whl"):
                _, version, _, tags = parse_wheel_filename(filename)
                rank = min((RANKS.get(tag, 1 << 20) for tag in tags), default=1 << 20)
            else:
                _, version = parse_sdist_filename(filename)
                rank = 1 << 21
        except ValueError:
            continue
        by_version.setdefault(version, []).append((rank, urllib.parse.urljoin(address, file["url"])))
    return by_version


@functools.cache
def metadata(name, version):
    """Requires-Python and requirements of a version; None: it does not exist."""
    files = page(name).get(Version(version))
    if not files:
        return None
    _, url = min(files, key=lambda item: item[0])
    if url.endswith(".whl"):
        raw, _ = parse_email(get(url + ".metadata"))
        lines = raw.get("requires_dist", [])
    else:
        raw, lines = source_metadata(get(url))
    requirements = []
    for line in lines:
        try:
            requirements.append(Requirement(line))
        except InvalidRequirement:
            requirements.append(Requirement(mended(line)))
    try:
        pythons = SpecifierSet(raw.get("requires_python") or "")
    except InvalidSpecifier:
        pythons = SpecifierSet()
    return pythons, requirements


def source_files(data):
    """The names in an sdist, and a function that reads one."""
    if data.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(data))
        return archive.namelist(), archive.read
    archive = tarfile.open(fileobj=io.BytesIO(data))
    return archive.getnames(), lambda name: archive.extractfile(name).read()


def source_metadata(data):
    """Of an sdist: PKG-INFO, or the requires.txt that setuptools puts beside it."""
    names, read = source_files(data)
    info = next(n for n in names if n.count("/") == 1 and n.endswith("/PKG-INFO"))
    raw, _ = parse_email(read(info))
    if raw.get("requires_dist"):
        return raw, raw["requires_dist"]
    egg = next((n for n in names if n.endswith(".egg-info/requires.txt")), None)
    text = read(egg).decode() if egg else ""
    lines, extra, marker = [], "", ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("["):
            extra, _, marker = line.strip("[]").partition(":")
            continue
        parts = [f"({marker})"] if marker else []
        parts += [f"extra == '{extra}'"] if extra else []
        lines.append(line + (" ; " + " and ".join(parts) if parts else ""))
    return raw, lines


def mended(line):
    """Old metadata has `foo (>=1.*)`, trailing commas and the like."""
    line = re.sub(r"(>=?|<=?)\s*([\d.]+)\.\*", r"\1\2", line)
    line = re.sub(r"(\d)\s*([<>=!~]=?)", r"\1,\2", line)
    return re.sub(r",\s*(?=[;)]|$)", "", line)


def holds(requirement, environment, extra=""):
    marker = requirement.marker
    return marker is None or marker.evaluate({**environment, "extra": extra})


def active(pins, environment):
    found, flaws = {}, []
    for pin in pins:
        if not holds(pin, environment):
            continue
        name = canonicalize_name(pin.name)
        version = next(iter(pin.specifier)).version
        if found.setdefault(name, version) != version:
            flaws.append(f"two versions of {name}")
    return found, flaws


def is_outside(specifier, version):
    return not specifier.contains(version, prereleases=True)


def python_flaw(pythons, environment):
    """In a universal answer lower bounds alone count: nobody knows all of the later Pythons."""
    kept = [s for s in pythons if ASK["lower"] is None or s.operator in (">", ">=", "~=")]
    return is_outside(SpecifierSet(",".join(map(str, kept))), environment["python_full_version"])


def flaws_in(pins, environment):
    found, flaws = active(pins, environment)
    constraints = by_name(ASK["constraints"])
    overrides = by_name(ASK["overrides"])
    todo = [(Requirement(line), "", "the requirements") for line in ASK["requires"]]
    seen, needed = set(), set()
    while todo:
        asked, extra, whose = todo.pop()
        if not holds(asked, environment, extra):
            continue
        name = canonicalize_name(asked.name)
        claims = [asked.specifier]
        if name in overrides:
            claims = [o.specifier for o in overrides[name] if holds(o, environment)]
            if not claims:
                continue
        claims += [c.specifier for c in constraints.get(name, []) if holds(c, environment)]
        version = found.get(name)
        if version is None:
            flaws.append(f"{name} is missing, for {whose}")
            continue
        flaws += [f"{name}=={version} is outside {c}, for {whose}" for c in claims if is_outside(c, version)]
        needed.add(name)
        facts = metadata(name, version)
        if facts is None:
            flaws.append(f"{name}=={version} does not exist")
            continue
        if python_flaw(facts[0], environment):
            flaws.append(f"{name}=={version} is for Python {facts[0]}")
        for wanted in ("", *map(canonicalize_name, asked.extras)):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                todo += [(r, wanted, f"{name}=={version}") for r in facts[1]]
    return found, flaws + [f"{name} is needed by nobody" for name in sorted(set(found) - needed)]


@functools.cache
def grouped(lines):
    groups = {}
    for line in lines:
        requirement = Requirement(line)
        groups.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return groups


def by_name(lines):
    return grouped(tuple(lines))


def label(environment):
    keys = ("sys_platform", "platform_machine", "implementation_name", "python_full_version")
    return " ".join(environment[key] for key in keys)


def main():
    answers = {tool: [Requirement(line) for line in lines] for tool, lines in ASK["answers"].items()}
    wanted = {
        (canonicalize_name(pin.name), next(iter(pin.specifier)).version)
        for pins in answers.values()
        for pin in pins
    }
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda item: metadata(*item), wanted))
    flaws = {tool: {} for tool in answers}
    differences = {}
    grid = environments()
    for environment in grid:
        found = []
        for tool, pins in answers.items():
            have, wrong = flaws_in(pins, environment)
            found.append(have)
            for text in wrong:
                flaws[tool].setdefault(text, label(environment))
        for name in sorted(set(found[0]) | set(found[1])):
            left, right = (have.get(name) for have in found)
            same = left == right or (left and right and equal(left, right))
            if not same:
                entry = differences.setdefault((name, left, right), [0, label(environment)])
                entry[0] += 1
    json.dump(
        {
            "flaws": {tool: [f"{k} ({v})" for k, v in found.items()] for tool, found in flaws.items()},
            "differences": [[*key, *value] for key, value in differences.items()],
            "environments": len(grid),
        },
        sys.stdout,
    )


def equal(left, right):
    try:
        return Version(left) == Version(right)
    except InvalidVersion:
        return False


main()
