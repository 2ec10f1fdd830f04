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
import resource
import statistics
import subprocess
import sys
import tempfile

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


def report(program):
    """What a program of ours writes with --json: a list of objects."""
    print("running", program, file=sys.stderr)
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([str(program), "--json", file.name], check=True, stdout=subprocess.DEVNULL)
        return json.load(file)[program.name.removesuffix("_bench")]


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


def paged(directory):
    yield "## A store larger than memory"
    yield ""
    yield ("`storage::file` over mnist (60,000 x 784 floats, `index::hnsw<>`, opened to be read), "
           "by the cache's share of the snapshot's bytes, over codes of 8 and of 4 bits: 1,000 "
           "queries for ten neighbours at the default recall; reads of at most 8 KiB a query once "
           "the cache is warm; resident memory as the growth of the process. `mmap` is "
           "`storage::mmap` over the same files.")
    yield ""
    yield from table(["codec", "cache", "recall@10", "reads a query", "microseconds a query",
                      "MB resident", "of MB"],
                     [[e["codec"], e["cache"], f"{e['recall']:.3f}", f"{e['reads']:.1f}",
                       f"{e['microseconds']:.0f}", f"{e['megabytes']:.1f}", f"{e['budget']:.1f}"]
                      for e in report(directory / "file_bench")])
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


def main():
    directory = pathlib.Path(sys.argv[1])
    lines = [
        "<!-- Made by ./dev bench --write. -->",
        "# Benchmarks",
        "",
        f"Measured on {datetime.date.today():%d %B %Y}, {processor()}, two shared cores, GCC 12, "
        "`-O2 -march=native` but where a section says otherwise, by `./dev bench --write`. Look at "
        "the ratios: both sides of one were measured in turn in the same process; single figures "
        "move with the machine's other load. "
        "The data sets are real and stand outside the repository (`VICINAL_DATA`).",
        "",
    ]
    for part in (kernels, flat, paged, compile_time):
        lines += part(directory)
    lines += benchmarks_search.search(sys.argv[2])
    OUTPUT.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
