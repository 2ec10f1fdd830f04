#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs vicinal-bench over the real sets: recall against speed beside other libraries.

    benchmarks_search.py PROGRAM [NAME]    prints what was measured of the sets (or the other
                                           sections) whose name contains NAME
    benchmarks_search.py --names           prints the names

benchmarks.py writes the same into docs/benchmarks.md, with the charts beside it.
"""
import array
import collections
import json
import os
import pathlib
import random
import statistics
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("VICINAL_DATA", ROOT / "../shared")) / "data"
CHARTS = ROOT / "docs/benchmarks"

# vicinal's codecs under the graph, and what they are measured against.
CODECS = "sq8,f32"
# Debian's faiss is plain SSE and takes most of the time: VICINAL_BENCH_PEERS=hnswlib leaves it out.
PEERS = os.environ.get("VICINAL_BENCH_PEERS", "hnswlib,faiss")

SETS = {  # name: metric, ending of its files, what it is
    "sift": ("squared_l2", "u8bin", "200,000 SIFT descriptors of 128 dimensions, squared L2"),
    "mnist": ("squared_l2", "u8bin", "60,000 digits of 784 dimensions, squared L2"),
    "words": ("cosine", "fbin", "100,000 word vectors of 100 dimensions, cosine"),
    "minilm": ("cosine", "fbin", "5,841 sentence embeddings of 384 dimensions, cosine"),
}


def files(name):
    metric, ending, _ = SETS[name]
    return ["--base", DATA / f"{name}.base.{ending}", "--query", DATA / f"{name}.query.{ending}",
            "--truth", DATA / f"{name}.gt.ibin", "--metric", metric]


class Bench:
    """One run of the program, and what it wrote: `lines` of a Markdown table, `points`."""

    def __init__(self, program, *arguments):
        with tempfile.TemporaryDirectory() as name:
            table, points = pathlib.Path(name) / "table.md", pathlib.Path(name) / "points.json"
            command = [str(a) for a in (program, "search", *arguments, "--markdown", table,
                                        "--json", points)]
            print("running", " ".join(command[1:]), file=sys.stderr)
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                                 env=environment)
            self.lines = table.read_text(encoding="utf-8").splitlines()
            self.points = json.loads(points.read_text(encoding="utf-8"))
            self.printed = ran.stdout.splitlines()


def one_set(program, name):
    CHARTS.mkdir(exist_ok=True)
    chart = CHARTS / f"{name}.svg"
    # The others have no such layout, and stay plain.
    run = Bench(program, *files(name), "--codec", CODECS + ",rabitq1", "--layout", "fused",
                "--peers", PEERS, "--svg", chart)
    yield f"### {name}: {SETS[name][2]}"
    yield ""
    yield f"![recall against speed]({CHARTS.name}/{chart.name})"
    yield ""
    yield from run.lines
    yield ""


def filters(program):
    run = Bench(program, *files("sift"), "--codec", CODECS, "--peers", "hnswlib", "--filter",
                "0.5,0.1,0.01,0.001")
    yield "### Filters"
    yield ""
    yield ("sift, recall among the rows that a random predicate keeps. vicinal reads a payload "
           "field; hnswlib 0.6 takes no predicate, so the others are marked deleted, which is the "
           "same walk. The scan compares the matches alone and knows them "
           "beforehand.")
    yield ""
    yield from run.lines
    yield ""


def lists(program):
    """Inverted lists, of which an effort is how many are looked at."""
    yield "### Inverted lists"
    yield ""
    yield ("2 sqrt(rows) lists everywhere; built by one thread. `pq4` has 64 sub-vectors of 4 "
           "bits, faiss's one for each two elements, of which the best 4 k are compared by the "
           "vectors.")
    yield ""
    for name in ("sift", "mnist"):
        run = Bench(program, *files(name), "--index", "ivf", "--codec", "sq8,pq4,rabitq1",
                    "--peers", "faiss-ivf", "--efforts", "1,2,4,8,12,16,24,32,48,64,96,128")
        yield f"{name}: {SETS[name][2]}"
        yield ""
        yield from run.lines
        yield ""


def churn(program):
    run = Bench(program, *files("sift"), "--codec", CODECS, "--limit", "40000", "--churn", "10")
    yield "### Deletes and inserts"
    yield ""
    yield ("20,000 rows of sift, all of them replaced ten times, a hundred at once, then searched "
           "beside a fresh build of the same rows.")
    yield ""
    yield from run.lines
    yield ""
    yield from ("* " + line for line in run.printed if "below a fresh build" in line)
    yield ""


def write_noisy(path, rows):
    """The rows of minilm over and over, each element off by noise: a tenth of a row's length."""
    raw = (DATA / "minilm.base.fbin").read_bytes()
    count, dim = struct.unpack_from("<II", raw)
    base = array.array("f", raw[8:])
    random.seed(1)
    sigma = 0.1 / dim ** 0.5
    noisy = array.array("f")
    for row in range(rows):
        start = row % count * dim
        noisy.extend(x + random.gauss(0, sigma) for x in base[start:start + dim])
    path.write_bytes(struct.pack("<II", rows, dim) + noisy.tobytes())


def quoted(program):
    with tempfile.TemporaryDirectory() as name:
        base = pathlib.Path(name) / "noisy.base.fbin"
        write_noisy(base, 10_000)
        run = Bench(program, "--base", base, "--query", DATA / "minilm.query.fbin", "--metric",
                    "cosine", "--index", "hnsw", "--codec", CODECS)
        exact = Bench(program, "--base", base, "--query", DATA / "minilm.query.fbin", "--metric",
                      "cosine", "--index", "flat", "--codec", "f32")
    yield "### 10,000 records of 384 dimensions"
    yield ""
    yield ("The rows of minilm with noise, one thread; memory is all that the store holds, ids "
           "and id map included.")
    yield ""
    yield "| | indexed in | a search takes | at recall@10 | memory |"
    yield "|---|---|---|---|---|"
    for system in dict.fromkeys(p["system"] for p in exact.points + run.points):
        points = [p for p in exact.points + run.points if p["system"] == system]
        point = next((p for p in points if p["recall"] >= 0.99), points[-1])
        yield (f"| {system} | {point['build_cpu_seconds']:.2f} s | "
               f"{1e6 / point['queries_per_second']:,.0f} us | {point['recall']:.4f} | "
               f"{point['bytes_per_record'] / 100:,.1f} MB |")
    yield ""


def threads(program):
    """Each number of threads three times in turn, as the other load of the machine changes."""
    efforts = ["--codec", "sq8", "--efforts", "24,32,64", "--rounds", "3"]
    builds, speeds = collections.defaultdict(list), collections.defaultdict(list)
    for _ in range(3):
        for count in (1, 2):
            points = Bench(program, *files("sift"), *efforts, "--threads", count).points
            builds[count].append(points[0]["build_seconds"])
            for p in points:
                speeds[count, p["effort"]].append(p["queries_per_second"])
    load = os.getloadavg()[0]
    yield "### Two threads"
    yield ""
    yield ("sift: the graph built, and then searched at three efforts, by one thread and by two; "
           "medians of three runs of each in turn. Seconds on the wall, the speed of one thread by "
           "its processor time. "
           f"The machine had {os.cpu_count()} cores and a load of {load:.1f} at the end.")
    yield ""
    yield "| | one thread | two | times |"
    yield "|---|---|---|---|"
    one, two = (statistics.median(builds[count]) for count in (1, 2))
    yield f"| built in, s | {one:.2f} | {two:.2f} | {one / two:.2f} |"
    for effort in sorted({e for _, e in speeds}):
        one, two = (statistics.median(speeds[count, effort]) for count in (1, 2))
        yield f"| queries/s at effort {effort} | {one:,.0f} | {two:,.0f} | {two / one:.2f} |"
    yield ""


SECTIONS = {name: lambda program, name=name: one_set(program, name) for name in SETS}
SECTIONS |= {"quoted": quoted, "lists": lists, "filters": filters,
             "churn": churn, "threads": threads}

INTRODUCTION = ["## Recall against speed", "", (
    "One store in memory of ids and vectors, one query at a time by one thread; what the "
    "store adds to its index (checks, ids, exact distances) is in every figure. vicinal is "
    "compiled with `-O2` and nothing else, hnswlib (Debian's 0.6.2) with `-O3 "
    "-march=native`; faiss is Debian's library (1.7.3), compiled for every x86-64. M = 16 "
    "for all; ef_construction = 200 for the peers, for vicinal its default, a build width "
    "of 64. k = 10. All systems are built in one process, then take turns; a figure is the "
    "median over seven rounds of queries a second of the thread's processor time, between "
    "the two efforts around a recall; `>` where the least effort found more. Ratios are to "
    "hnswlib. Bytes are the memory that came into use, less that of ids and id map; "
    "hnswlib's hold 2.6 MB of locks whatever its size."), ""]


if __name__ == "__main__":
    if sys.argv[1] == "--names":
        print("\n".join(SECTIONS))
    else:
        for section in (s for name, s in SECTIONS.items() if "".join(sys.argv[2:3]) in name):
            print("\n".join(section(sys.argv[1])))
