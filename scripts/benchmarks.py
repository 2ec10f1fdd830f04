#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmark programs and writes docs/benchmarks.md from what they measured.

    benchmarks.py DIRECTORY    the directory of the programs, as build/native/bench
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


def at_recall(points, wanted):
    """Queries a second at a recall, between the two efforts around it."""
    points = sorted(points)
    for (r0, q0), (r1, q1) in zip(points, points[1:]):
        if r0 <= wanted <= r1 and r1 > r0:
            return q0 + (q1 - q0) * (wanted - r0) / (r1 - r0)
    return None


def hnsw(directory):
    runs = measure(directory / "hnsw_bench", "--benchmark_min_time=0.2")
    curves = collections.defaultdict(list)
    build = {}
    for name, all_runs in runs.items():
        label = name.rsplit("/", 1)[0]
        curves[label].append((median(all_runs, "recall@10"), median(all_runs, "queries/s")))
        build[label] = median(all_runs, "build_cpu_s")
    yield "## HNSW"
    yield ""
    yield ("The sift set, squared L2, M = 16, ef_construction = 200, one thread, both libraries in "
           "one process and compiled with the same flags. Queries a second at equal recall@10, "
           "between the measured efforts; the ratio is to hnswlib (Debian's).")
    yield ""
    rival = "hnsw/hnswlib"
    rows = []
    for label, points in curves.items():
        row = [f"`{label}`"]
        for wanted in (0.95, 0.99):
            speed, other = at_recall(points, wanted), at_recall(curves.get(rival, []), wanted)
            row.append("-" if not speed else f"{speed:,.0f}" +
                       (f" ({speed / other:.2f}x)" if other else ""))
        row.append(f"{build[label]:.1f} s" +
                   (f" ({build[label] / build[rival]:.2f}x)" if rival in build else ""))
        rows.append(row)
    yield from table(["system", "at 0.95", "at 0.99", "build, CPU"], rows)
    yield ""
    yield from table(["system", "recall@10", "queries/s"],
                     [[f"`{label}`", f"{r:.4f}", f"{q:,.0f}"] for label, points in curves.items()
                      for r, q in sorted(points)])
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
        "`-O2 -march=native`, by `./dev bench --write`. Look at the ratios: both sides of one were "
        "measured in turn in the same process; single figures move with the machine's other load. "
        "The data sets are real and stand outside the repository (`VICINAL_DATA`).",
        "",
    ]
    for part in (kernels, flat, hnsw):
        lines += part(directory)
    OUTPUT.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
