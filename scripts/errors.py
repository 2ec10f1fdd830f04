#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes docs/errors.md from the comments over the codes of `enum class errc` in core/error.hpp.

    errors.py            write the file
    errors.py --check    fail if the file is not what would be written, or a code has no test
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "include/vicinal/core/error.hpp"
OUTPUT = ROOT / "docs/errors.md"

HEAD = """<!-- Made by scripts/errors.py from core/error.hpp; change it there. -->
# Errors

Every call that can fail throws `vicinal::error`, or in its `try_` twin returns one in a
`result<T>`. `code()` is to branch on; `expected()` and `got()` say in words what was expected and
what came. A call that fails changes nothing.

| code | number | cause | cure |
|---|---|---|---|
"""


def rows(source):
    body = re.search(r"enum class errc \{\n(.*?)\n\};", source, re.S)
    if not body:
        sys.exit(f"errors.py: no enum class errc in {SOURCE.name}")
    number, comment = 0, []
    for line in (line.strip() for line in body[1].splitlines()):
        if line.startswith("///"):
            comment.append(line[3:].strip())
        elif code := re.fullmatch(r"(\w+)(?: = (\d+))?,?", line):
            number = int(code[2]) if code[2] else number + 1
            cause, cure, remedy = " ".join(comment).partition(" Cure: ")
            if not cause or not cure or not remedy:
                sys.exit(f"errors.py: {code[1]} needs a comment '<cause>. Cure: <what to do>.'")
            remedy = remedy[0].upper() + remedy[1:]
            yield f"| `{code[1]}` | {number} | {cause} | {remedy} |"
            comment = []
        elif line:
            sys.exit(f"errors.py: cannot read the line '{line}' of errc")


def untested(source):
    """The codes that no test names."""
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.?pp"))
    codes = re.findall(r"^\| `(\w+)` \|", "\n".join(rows(source)), re.M)
    return [code for code in codes if not re.search(rf"errc::{code}\b", tests)]


def main():
    made = HEAD + "\n".join(rows(SOURCE.read_text(encoding="utf-8"))) + "\n"
    if "--check" in sys.argv[1:]:
        if not OUTPUT.is_file() or OUTPUT.read_text(encoding="utf-8") != made:
            sys.exit("errors.py: docs/errors.md is not in step with core/error.hpp; "
                     "run ./dev errors")
        if missing := untested(SOURCE.read_text(encoding="utf-8")):
            sys.exit("errors.py: no test makes these happen: " + ", ".join(missing))
    else:
        OUTPUT.parent.mkdir(exist_ok=True)
        OUTPUT.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
