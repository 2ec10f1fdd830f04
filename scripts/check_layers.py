#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks what keeps the tree in order, one message a line, and fails if there is any:

* a header includes its own family and those that stand below it in ALLOWED, nothing else;
* the core families do not include the standard headers that cost every user compile time;
* include/vicinal/vicinal.hpp reaches every header that needs the standard library alone;
* every source file states its licence, stays within 100 columns, and a header within 400 lines;
* no file holds a path of somebody's machine.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The order is docs/architecture.md's; what a family does not list it does not know.
ALLOWED = {
    "core": [],
    "simd": ["core"],
    "metric": ["core", "simd"],
    "cluster": ["core", "simd", "metric"],
    "codec": ["core", "simd", "metric", "cluster"],
    "storage": ["core"],
    "index": ["core", "simd", "metric", "cluster", "codec", "storage"],
    "payload": ["core", "storage"],
    "text": ["core", "storage"],
    "store": ["core", "simd", "metric", "codec", "storage", "index", "payload", "text"],
    "migrate": ["core", "store", "payload"],
    "backend": ["core", "simd", "metric", "codec", "storage", "index", "payload", "text", "store",
                "migrate"],
    "analytics": ["core", "simd", "metric", "cluster", "codec", "storage", "index", "payload",
                  "text", "store"],
}
# adapt may include anything; so may vicinal.hpp, the table of contents.
CORE_FAMILIES = ["core", "simd", "metric", "cluster", "codec", "storage", "index", "payload",
                 "text", "store"]
COSTLY = ["iostream", "regex", "filesystem", "ranges", "random"]
# What needs a foreign library is included by name; the table of contents leaves it out. The same
# patterns as in cmake/library.cmake.
OPTIONAL = re.compile(r"vicinal/(adapt/|migrate/filters|(migrate|backend)/(json|columnar|hdf5)"
                      r"|backend/(chroma|sqlite)|migrate/files/compressed)")
# So are the readers of foreign files, which most programs never see.
BY_NAME = re.compile(r"vicinal/(migrate/(arrays|graphs|tables|fill_batch|files/(lines|input))"
                     r"|backend/(arrays|graphs|tables|look_at|mirror))")

SOURCE = re.compile(r"(\.(hpp|cpp|h|inc|py|sh|cmake)|/CMakeLists\.txt|^CMakeLists\.txt|^dev"
                    r"|^\.ci/run)$")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
# Written in pieces, so that this file does not match itself.
PRIVATE = re.compile(rb"(^|[^A-Za-z0-9_./])/(" + b"|".join([b"work", b"farm"]) + rb")/", re.M)
COLUMNS = 100
LINES = 400


def files():
    """Every file that is or could be committed."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
    else:
        names = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*")]
        names = [name for name in names if not re.match(r"(build|\.git)/", name)]
    return sorted(name for name in set(names) if name and (ROOT / name).is_file())


def family(name):
    parts = name.split("/")
    return parts[1] if len(parts) > 2 else ""


def includes(name):
    for number, line in enumerate(text(name).splitlines(), 1):
        if found := INCLUDE.match(line):
            yield number, found[1]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def layers(headers):
    for header in headers:
        name = header.removeprefix("include/")
        own = family(name)
        if own and own != "adapt" and own not in ALLOWED:
            yield f"{header}: {own} is no family; add it to ALLOWED in scripts/check_layers.py"
            continue
        for number, included in includes(header):
            if included.startswith("vicinal/"):
                other = family(included)
                if own and own != "adapt" and other != own and other not in ALLOWED[own]:
                    yield f"{header}:{number}: {own} may not include {other or included}"
                if not (ROOT / "include" / included).is_file():
                    yield f"{header}:{number}: <{included}> does not exist"
            elif own in CORE_FAMILIES and included in COSTLY:
                yield f"{header}:{number}: a core family may not include <{included}>"


def contents(headers):
    reached, waiting = set(), ["vicinal/vicinal.hpp"]
    while waiting:
        name = waiting.pop()
        if name in reached or not (ROOT / "include" / name).is_file():
            continue
        reached.add(name)
        waiting += [n for _, n in includes(f"include/{name}") if n.startswith("vicinal/")]
    for name in (header.removeprefix("include/") for header in headers):
        if OPTIONAL.match(name) or BY_NAME.match(name):
            if name in reached:
                yield f"include/{name}: optional, but vicinal.hpp reaches it"
        elif name not in reached:
            yield f"include/{name}: vicinal.hpp does not reach it"


def form(name):
    lines = text(name).splitlines()
    if not any("SPDX-License-Identifier: MIT" in line for line in lines[:3]):
        yield f"{name}: no SPDX-License-Identifier in its first lines"
    if name.startswith("single_include/"):
        return
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            yield f"{name}:{number}: {len(line)} columns, {COLUMNS} are allowed"
    if name.startswith("include/") and len(lines) > LINES:
        yield f"{name}: {len(lines)} lines, {LINES} are allowed; one idea a file"


def main():
    names = files()
    headers = [name for name in names if re.match(r"include/.*\.hpp$", name)]
    problems = [*layers(headers), *contents(headers)]
    for name in names:
        if SOURCE.search(name):
            problems += form(name)
        if PRIVATE.search((ROOT / name).read_bytes()):
            problems.append(f"{name}: a path of somebody's machine")
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
