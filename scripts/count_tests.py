#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count_tests.py JUNIT RESULTS: prints "passed failed skipped" for one run of ctest.

JUNIT is what `ctest --output-junit` wrote. Where RESULTS/<test>.txt exists, the test was a Catch2
program, and its cases are counted one by one (see tests/main.cpp); any other test counts as one. A
case that began and did not end has failed, and so has a program that ctest calls failed although
no case of its did, or that ran no case at all.
"""
import pathlib
import sys
import xml.etree.ElementTree

STATES = ["passed", "failed", "skipped"]


def cases(path):
    """What the listener noted: each case begins, and ends in one of STATES."""
    count = dict.fromkeys(STATES, 0)
    open_cases = 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        what = line.split("\t")[0]
        if what == "begin":
            open_cases += 1
        elif what in count:
            open_cases -= 1
            count[what] += 1
    count["failed"] += open_cases
    return count


def main():
    junit, results = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    total = dict.fromkeys(STATES, 0)
    for test in xml.etree.ElementTree.parse(junit).getroot().iter("testcase"):
        state = {"run": "passed", "fail": "failed"}.get(test.get("status"), "skipped")
        file = results / f"{test.get('name')}.txt"
        count = cases(file) if file.is_file() else {}
        if sum(count.values()) == 0 and file.is_file():
            state = "failed"
        if sum(count.values()) == 0 or (state == "failed" and count["failed"] == 0):
            count[state] = count.get(state, 0) + 1
        for name, number in count.items():
            total[name] += number
    print(*total.values())


if __name__ == "__main__":
    main()
