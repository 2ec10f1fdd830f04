#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes single_include/vicinal.hpp out of everything that include/vicinal/vicinal.hpp reaches.

    amalgamate.py                write the file
    amalgamate.py --check        fail if the file is not what would be written
    amalgamate.py --forward DIR  write DIR/vicinal/**.hpp, each of which stands for its original:
                                 by including the single header if that contains it, else by
                                 including the original. The test suite is compiled with it.

Each header comes once, where it is included first (once more where the first place stood inside an
#if), and keeps its include guard, so that a program may use the single header and optional headers
of include/ together. System headers that are included unconditionally move to the top; the others
stay where they are. A header without a guard (one kernel body compiled for several instruction
sets) is copied each time.
"""
import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include"
TOP = "vicinal/vicinal.hpp"
OUTPUT = ROOT / "single_include" / "vicinal.hpp"

OWN = re.compile(r'^\s*#\s*include\s*[<"](vicinal/[^>"]+)[>"]')
SYSTEM = re.compile(r"^\s*#\s*include\s*(<[^>]+>)")
QUOTED = re.compile(r'^\s*#\s*include\s*"')
OPENS = re.compile(r"^\s*#\s*if")
BRANCHES = re.compile(r"^\s*#\s*el")
CLOSES = re.compile(r"^\s*#\s*endif")
PRAGMA_PUSH = re.compile(r"^\s*#\s*pragma\s+(GCC push_options|clang attribute push)")
PRAGMA_POP = re.compile(r"^\s*#\s*pragma\s+(GCC pop_options|clang attribute pop)")


def fail(message):
    sys.exit(f"amalgamate.py: {message}")


def guard_of(lines):
    """The guard's name if the whole file stands inside one."""
    code = [line for line in lines if line.strip() and not line.lstrip().startswith("//")]
    if len(code) < 3:
        return None
    opening = re.match(r"#ifndef (VICINAL_\w+_HPP)$", code[0])
    if not opening or code[1].split() != ["#define", opening[1]] or not CLOSES.match(code[-1]):
        return None
    return opening[1]


class Amalgamation:
    def __init__(self):
        # One set for the whole file and one for each #if branch that is open: what was copied
        # inside a branch may be missing outside, and its guard makes the second copy harmless.
        self.scopes = [set()]
        self.contained = set()
        self.system = set()
        self.body = []

    def add(self, name, includer):
        if any(name in scope for scope in self.scopes):
            return
        path = INCLUDE / name
        if not path.is_file():
            fail(f"{includer} includes <{name}>, which does not exist")
        lines = path.read_text(encoding="utf-8").splitlines()
        guarded = guard_of(lines) is not None
        if guarded:
            self.scopes[-1].add(name)
        self.contained.add(name)
        outside, guard_open, pushed = len(self.scopes), guarded, 0
        self.body.append(f"// ---- {name}")
        for number, line in enumerate(lines, 1):
            place = f"{name}:{number}"
            if line.startswith("// SPDX-License-Identifier:"):
                continue
            own, system = OWN.match(line), SYSTEM.match(line)
            pushed += bool(PRAGMA_PUSH.match(line)) - bool(PRAGMA_POP.match(line))
            if OPENS.match(line):
                if guard_open:
                    guard_open = False
                else:
                    self.scopes.append(set())
            elif BRANCHES.match(line):
                self.scopes[-1] = set()
            elif CLOSES.match(line) and len(self.scopes) > outside:
                self.scopes.pop()
            if own:
                if pushed:
                    fail(f"{place} includes <{own[1]}> between push_options and pop_options")
                self.add(own[1], place)
            elif system and guarded and not pushed and len(self.scopes) == 1:
                self.system.add(system[1])
            elif QUOTED.match(line):
                fail(f"{place} includes with quotes; write <vicinal/...>")
            elif line.strip() or self.body[-1].strip():
                self.body.append(line.rstrip())

    def text(self):
        self.add(TOP, "amalgamate.py")
        config = (INCLUDE / "vicinal/core/config.hpp").read_text(encoding="utf-8")
        version = ".".join(re.findall(r"#define VICINAL_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)",
                                      config))
        holder = next(line for line in (ROOT / "LICENSE").read_text(encoding="utf-8").splitlines()
                      if line.startswith("Copyright"))
        head = ["// SPDX-License-Identifier: MIT",
                f"// vicinal {version}, the whole library in one header. {holder}",
                "// Generated from include/vicinal/ by scripts/amalgamate.py; change it there.",
                "#ifndef VICINAL_SINGLE_HEADER_HPP",
                "#define VICINAL_SINGLE_HEADER_HPP", ""]
        head += [f"#include {name}" for name in sorted(self.system)] + [""]
        return "\n".join(head + self.body + ["", "#endif"]) + "\n"


def forward(directory, contained):
    for path in sorted(INCLUDE.rglob("*.hpp")):
        name = path.relative_to(INCLUDE).as_posix()
        target = "<vicinal.hpp>" if name in contained else f'"{path.as_posix()}"'
        text = f"// SPDX-License-Identifier: MIT\n#pragma once\n#include {target}\n"
        output = directory / name
        if not output.is_file() or output.read_text(encoding="utf-8") != text:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(text, encoding="utf-8")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("--forward", type=pathlib.Path, metavar="DIR")
    options = arguments.parse_args()

    made = Amalgamation()
    text = made.text()
    if options.forward:
        forward(options.forward, made.contained)
    elif options.check:
        if not OUTPUT.is_file() or OUTPUT.read_text(encoding="utf-8") != text:
            fail("single_include/vicinal.hpp is not in step with include/; run ./dev single")
    else:
        OUTPUT.parent.mkdir(exist_ok=True)
        OUTPUT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
