#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmark programs and writes docs/benchmarks.md from what they measured.

    benchmarks.py DIRECTORY PROGRAM [NAME]
                               measures the parts whose name contains NAME and leaves the others as
                               they stand. DIRECTORY has the programs called x_bench, as
                               build/native/bench; PROGRAM is vicinal-bench, as
                               build/release/bench/vicinal-bench
    benchmarks.py --names      prints the names
"""
import collections
import datetime
import pathlib
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile

import benchmarks_codecs
import benchmarks_migrate
import benchmarks_planner
import benchmarks_search
import benchmarks_storage
from benchmarks_report import report, table

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "docs/benchmarks.md"


def kernels(directory):
    cells = collections.defaultdict(dict)
    for e in report(directory / "kernels_bench"):
        cells[e["kernel"], e["who"]][int(e["dim"])] = e
    dims = sorted({dim for row in cells.values() for dim in row})
    first = next(iter(cells))[1]
    rows = []
    for (kernel, who), row in cells.items():
        if who != first:
            rows.append(["", who] + [f"{row[d]['times']:.2f}x" for d in dims])
        elif kernel.startswith("tile"):
            unit = "GFLOP/s" if "f32" in kernel else "GOP/s"
            rows.append([f"{kernel}, {unit}", who] +
                        [f"{2 * d / row[d]['ns']:.0f}" for d in dims])
        else:
            rows.append([kernel, who] + [f"{row[d]['ns']:.1f}" for d in dims])
    yield "## Kernels"
    yield ""
    yield (f"Nanoseconds a distance in cache for `{first}`, which is compiled without any flag for "
           "this CPU, and under it how many times as long the others take; above 1 vicinal is "
           "faster. All contestants for a kernel and dimension run in turn in one process, 31 "
           "times; medians. textbook is the plain loop and hnswlib its kernel, both with "
           "`-O3 -march=native`; faiss and OpenBLAS are Debian's libraries, faiss's built for "
           "the least x86-64, OpenBLAS told to use its AVX-512 kernels where there are such. One "
           "row a call but where four are named; tiles are 32 queries by 96 rows.")
    yield ""
    yield from table(["kernel", "who"] + [str(d) for d in dims], rows)
    yield ""
    wide = [row[d]["times"] for (_, who), row in cells.items() if "native" in who
            for d in dims if d >= 128]
    yield (f"With `-march=native` the same kernels take {min(wide):.2f} to {max(wide):.2f} times "
           f"as long at 128 dimensions and more, in the median {statistics.median(wide):.2f}.")
    yield ""


def flat(directory):
    yield "## Exact search"
    yield ""
    yield ("Processor time of one thread, k = 10, every answer compared with brute force. `reading "
           "all floats` is one pass over the vectors, which no search of plain floats can beat. "
           "The ratio is to the first of each group; medians of rounds in which each ran once.")
    yield ""
    yield from table(["set", "queries", "who", "ms a query", "times as fast"],
                     [[e["set"], e["what"], e["who"], f"{e['ms']:.3f}", f"{e['ratio']:.2f}"]
                      for e in report(directory / "flat_bench")])
    yield ""


def compile_time(_):
    """A file that includes one header, with -O2; all in turn."""
    headers = ["immintrin.h", "vicinal/simd/float_sums.hpp", "vicinal/metric/squared_l2.hpp",
               "vicinal/simd/tile.hpp", "vicinal/index/flat.hpp", "vicinal/vicinal.hpp"]
    seconds = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "one.cpp"
        for _ in range(7):
            for header in headers:
                source.write_text(f"#include <{header}>\n")
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                subprocess.run(["g++", "-std=c++20", "-O2", "-I", str(ROOT / "include"), "-c",
                                str(source), "-o", str(source) + ".o"], check=True)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                seconds[header].append(after.ru_utime - before.ru_utime +
                                       after.ru_stime - before.ru_stime)
    base = statistics.median(seconds[headers[0]])
    yield "## Compile time"
    yield ""
    yield ("Processor seconds for a file of one include, `g++ -O2`, medians of seven in turn; the "
           "first three of vicinal's are kernels.")
    yield ""
    yield from table(["header", "seconds", "to the first"],
                     [[f"`{header}`", f"{median:.2f}", f"{median / base:.2f}"]
                      for header, times in seconds.items()
                      for median in [statistics.median(times)]])
    yield ""


def processor():
    info = pathlib.Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", info.read_text() if info.exists() else "")
    return found[1] if found else platform.processor()


HEAD = ["<!-- Made by ./dev bench --write. -->", "# Benchmarks", "",
        "Made by `./dev bench --write`, each part on the day and the processor named at its end, "
        "with two shared cores and GCC 12, `-O2 -march=native` but where a part says otherwise. "
        "Look at the ratios: both sides of one were measured in turn in the same process; single "
        "figures move with the machine's other load. The data sets are real and stand outside the "
        "repository (`VICINAL_DATA`).", ""]

# What measures a part, by the programs' directory and vicinal-bench, in the document's order.
PARTS = {"kernels": lambda directory, _: kernels(directory),
         "flat": lambda directory, _: flat(directory),
         "compile": lambda directory, _: compile_time(directory)}
PARTS |= {name: lambda _, program, part=part: part(program)
          for name, part in benchmarks_search.SECTIONS.items()}
PARTS |= {name: lambda directory, _, part=part: part(directory)
          for sections in (benchmarks_codecs.SECTIONS, benchmarks_planner.SECTIONS,
                           benchmarks_storage.SECTIONS)
          for name, part in sections.items()}
PARTS |= {name: lambda directory, _, part=part: part(directory)
          for name, part in benchmarks_migrate.SECTIONS.items()}
# What stands before the first part of a chapter.
CHAPTERS = {next(iter(benchmarks_search.SECTIONS)): benchmarks_search.INTRODUCTION,
            next(iter(benchmarks_storage.SECTIONS)): benchmarks_storage.INTRODUCTION}
MARK = re.compile(r"^<!-- part: (\w+) -->\n(.*?)^<!-- end -->\n", re.MULTILINE | re.DOTALL)


def main():
    if sys.argv[1] == "--names":
        print("\n".join(PARTS))
        return
    directory, program = map(pathlib.Path, sys.argv[1:3])
    wanted = sys.argv[3] if len(sys.argv) > 3 else ""
    for name, part in PARTS.items():
        if wanted in name:
            day = f"_{datetime.date.today():%d %B %Y}, {processor()}._"
            write(name, "\n".join([*part(directory, program), day, ""]))


def write(name, text):
    """After each part: a run that is broken off keeps what it has, and another run its own."""
    known = dict(MARK.findall(OUTPUT.read_text(encoding="utf-8"))) if OUTPUT.exists() else {}
    known[name] = text
    lines = list(HEAD)
    for name in PARTS:
        lines += CHAPTERS.get(name, [])
        if name in known:
            lines += [f"<!-- part: {name} -->", known[name] + "<!-- end -->", ""]
    OUTPUT.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
