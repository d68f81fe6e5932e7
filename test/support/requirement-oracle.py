"""What the `packaging` library says: a question per line as JSON, an answer per line."""

import glob
import json
import os
import sys
import sysconfig

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name


def marker(question):
    try:
        parsed = Marker(question["text"])
    except InvalidMarker:
        return None
    try:
        text = str(parsed)
    except ValueError:
        # Both kinds of quotes in one value: no text holds it.
        text = None
    answers = []
    for environment in question["environments"]:
        for name in ("extras", "dependency_groups"):
            environment[name] = set(environment[name])
        try:
            answers.append(parsed.evaluate(environment))
        except (UndefinedComparison, UndefinedEnvironmentName):
            answers.append(None)
    return {"text": text, "answers": answers}


def requirement(question):
    try:
        parsed = Requirement(question["text"])
    except InvalidRequirement:
        return None
    parsed.name = canonicalize_name(parsed.name)
    parsed.extras = {canonicalize_name(extra) for extra in parsed.extras}
    try:
        return {"text": str(parsed)}
    except ValueError:
        return {"text": None}


def metadata(question):
    with open(question["path"], "rb") as file:
        raw, unparsed = parse_email(file.read())
    requirements = []
    for line in raw.get("requires_dist", []):
        answer = requirement({"text": line})
        requirements.append(answer and answer["text"])
    extras = [canonicalize_name(extra) for extra in raw.get("provides_extra", [])]
    return {
        "name": canonicalize_name(raw["name"]),
        "version": raw["version"],
        "requiresPython": raw.get("requires_python"),
        "requirements": requirements,
        "extras": extras,
        "dynamic": [field.lower() for field in raw.get("dynamic", [])],
    }


def installed(_question):
    paths = set()
    for prefix in (sys.prefix, sys.base_prefix):
        folder = sysconfig.get_path("purelib", vars={"base": prefix})
        for name in ("*.dist-info/METADATA", "*.egg-info/PKG-INFO"):
            paths.update(glob.glob(os.path.join(folder, name)))
    return sorted(paths)


KINDS = {
    "installed": installed,
    "marker": marker,
    "metadata": metadata,
    "requirement": requirement,
}

for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps(KINDS[question["kind"]](question)))
