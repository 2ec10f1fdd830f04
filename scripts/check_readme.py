#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the README shows what examples/first.cpp is and prints."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
readme = (root / "README.md").read_text()
program = (root / "examples/first.cpp").read_text().split("// [readme]\n")[1]
printed = (root / "examples/first.expected").read_text()

shown = re.findall(r"```(?:cpp)?\n(.*?)```", readme, re.S)
if program not in shown[0]:
    sys.exit("README.md: the first program is not that of examples/first.cpp behind [readme]")
if shown[1] != printed:
    sys.exit("README.md: the output shown is not examples/first.expected")
