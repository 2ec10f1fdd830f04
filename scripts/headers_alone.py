#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that each header compiles alone: headers_alone.py BUILD [JOBS]

What stands before a header's own text is what it includes, whole, and nothing else. So of two
headers of which one includes the other, at whatever depth, the outer one compiles alone if it does
behind the inner one, and one translation unit can check a whole chain of them. The headers are laid
into as few chains as there can be (Dilworth: by a matching of the inclusions): 147 for 503 headers.

BUILD is a configured build directory; its compile_commands.json says how a unit that includes all
headers is compiled.
"""
import concurrent.futures
import functools
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def inclusions():
    """Which own headers each header names."""
    base = ROOT / "include"
    headers = {p.relative_to(base).as_posix(): p for p in base.rglob("*.hpp")}
    return {name: [i for i in INCLUDE.findall(path.read_text()) if i in headers]
            for name, path in sorted(headers.items())}


def chains(named):
    """Lists of headers, inner ones first, in which each header includes those before it."""
    @functools.lru_cache(None)
    def reach(header):
        return frozenset(named[header]).union(*map(reach, named[header]))

    outer = {h: [o for o in named if h in reach(o)] for h in named}
    for header, others in outer.items():
        others.sort(key=lambda o: len(reach(o)))
    inner_of = {}  # the header behind -> the one before it

    def place(header, seen):
        for other in outer[header]:
            if other in seen:
                continue
            seen.add(other)
            if other not in inner_of or place(inner_of[other], seen):
                inner_of[other] = header
                return True
        return False

    for header in sorted(named, key=lambda h: -len(reach(h))):
        place(header, set())
    followed = set(inner_of.values())
    for last in (h for h in named if h not in followed):
        chain = [last]
        while chain[-1] in inner_of:
            chain.append(inner_of[chain[-1]])
        yield len(reach(last)), chain[::-1]


def command(build):
    """How a unit that sees all headers is compiled, without its source and output."""
    units = json.loads((build / "compile_commands.json").read_text())
    unit = next(u for u in units if u["file"].endswith("together_forwards.cpp"))
    words = unit.get("arguments") or shlex.split(unit["command"])
    del words[words.index("-o"):words.index("-o") + 2]
    return unit["directory"], [w for w in words if w not in ("-c", unit["file"])]


def main():
    build = pathlib.Path(sys.argv[1])
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count()
    directory, compiler = command(build)

    def compiled(chain):
        with tempfile.NamedTemporaryFile("w", suffix=".cpp") as unit:
            unit.write("".join(f"#include <{header}>\n" for header in chain))
            unit.flush()
            return subprocess.run([*compiler, "-c", unit.name, "-o", os.devnull], cwd=directory,
                                  capture_output=True, text=True, check=False)

    named = inclusions()
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        longest_first = [chain for _, chain in sorted(chains(named), reverse=True)]
        for chain, done in zip(longest_first, pool.map(compiled, longest_first)):
            if done.returncode:
                failures += 1
                print(f"not alone, in the order {' '.join(chain)}:\n{done.stderr}")
    print(f"{len(named)} headers in {len(longest_first)} units, {failures} of which do not compile")
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
