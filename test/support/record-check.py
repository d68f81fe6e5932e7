"""Is every installed package whole, and every file somebody's? Knows nothing of blast.

Usage: record-check.py SITE-PACKAGES SCRIPTS; prints what is wrong, a line each.
"""
import base64, csv, hashlib, pathlib, sys

site, scripts = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
owned = {}
for info in sorted(site.glob("*.dist-info")):
    for name in ("METADATA", "RECORD", "WHEEL", "INSTALLER"):
        if not (info / name).is_file():
            print(f"{info.name}: no {name}")
    record = info / "RECORD"
    if not record.is_file():
        continue
    for path, digest, size in csv.reader(record.read_text().splitlines()):
        file = pathlib.Path(site, path)
        real = file.parent.resolve() / file.name
        if real in owned:
            print(f"{path}: owned by {owned[real]} and {info.name}")
        owned[real] = info.name
        if not real.is_file():
            print(f"{info.name}: {path} is missing")
            continue
        data = real.read_bytes()
        if digest:
            algorithm, _, value = digest.partition("=")
            found = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=")
            if found.decode() != value:
                print(f"{info.name}: {path} has another hash")
        if size and int(size) != len(data):
            print(f"{info.name}: {path} has another size")
names = [info.name.split("-")[0] for info in site.glob("*.dist-info")]
for name in sorted({n for n in names if names.count(n) > 1}):
    print(f"{name}: installed twice")
for file in site.rglob("*"):
    if file.is_dir() and not file.is_symlink():
        if not any(file.iterdir()):
            print(f"{file.relative_to(site)}: an empty folder")
    elif file not in owned and "__pycache__" not in file.parts:
        print(f"{file.relative_to(site)}: nobody's")
for file in scripts.iterdir():
    standard = file.name.lower().startswith(("python", "activate", "deactivate"))
    if not standard and file.name != "pydoc.bat" and file not in owned:
        print(f"{scripts.name}/{file.name}: nobody's")
