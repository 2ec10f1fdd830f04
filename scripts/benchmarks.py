#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmark programs and writes docs/benchmarks.md from what they measured.

    benchmarks.py DIRECTORY PROGRAM    the programs of Google Benchmark, as build/native/bench,
                                       and vicinal-bench, as build/release/bench/vicinal-bench
"""
import collections
import datetime
import json
import pathlib
import platform
import re
import statistics
import subprocess
import sys

import benchmarks_search

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "docs/benchmarks.md"
FLAGS = ["--benchmark_repetitions=5", "--benchmark_enable_random_interleaving=true",
         "--benchmark_format=json"]


def measure(program, *more):
    """name -> list of runs; a repetition is a run."""
    command = [str(program), *FLAGS, *more]
    print("running", " ".join(command[:1]), file=sys.stderr)
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    runs = collections.defaultdict(list)
    for run in answer["benchmarks"]:
        if run.get("run_type") == "iteration":
            runs[run["run_name"]].append(run)
    return runs


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def kernels(directory):
    runs = measure(directory / "kernels_bench", "--benchmark_min_time=0.05")
    cells = collections.defaultdict(dict)
    dimensions = set()
    for name, all_runs in runs.items():
        label, dim = re.fullmatch(r"(.*)/(\d+)", name).groups()
        cells[label][int(dim)] = 1e9 / median(all_runs, "items_per_second")
        dimensions.add(int(dim))
    dims = sorted(dimensions)
    yield "## Kernels"
    yield ""
    yield ("Nanoseconds a distance in cache, one row a call; medians of five interleaved "
           "repetitions.")
    yield ""
    yield from table(["kernel"] + [str(d) for d in dims],
                     [[f"`{label}`"] + [f"{row[d]:.1f}" if d in row else "" for d in dims]
                      for label, row in cells.items()])
    yield ""


def flat(directory):
    runs = measure(directory / "flat_bench")
    yield "## Exact search"
    yield ""
    yield ("One query at a time over the sift set; `flat/read` is one pass over the same floats, "
           "which no search of plain floats can beat.")
    yield ""
    yield from table(["what", "ms", "GB/s"],
                     [[f"`{name}`", f"{median(r, 'real_time'):.2f}",
                       f"{median(r, 'bytes_per_second') / 1e9:.1f}"] for name, r in runs.items()
                      if "bytes_per_second" in r[0]])
    yield ""


def processor():
    info = pathlib.Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", info.read_text() if info.exists() else "")
    return found[1] if found else platform.processor()


def main():
    directory = pathlib.Path(sys.argv[1])
    lines = [
        "<!-- Made by ./dev bench --write. -->",
        "# Benchmarks",
        "",
        f"Measured on {datetime.date.today():%d %B %Y}, {processor()}, two shared cores, GCC 12, "
        "by `./dev bench --write`; kernels and exact search with `-O2 -march=native`. Look at the "
        "ratios: both sides of one were measured in turn in the same process; single figures move "
        "with the machine's other load. The data sets are real and stand outside the repository "
        "(`VICINAL_DATA`).",
        "",
    ]
    for part in (kernels, flat):
        lines += part(directory)
    lines += benchmarks_search.search(sys.argv[2])
    OUTPUT.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
