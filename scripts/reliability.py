#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the tests that break stores, all of each, and prints the table of what they counted.

    reliability.py TESTS FUZZ [--write] [--kills N] [--seconds S] [--step N]
                   [--jobs J]

TESTS holds the programs of the preset breaking, FUZZ those of the preset fuzz. With --write the
table goes into docs/reliability.md, between its markers.
"""
import argparse
import collections
import concurrent.futures
import datetime
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "docs/reliability.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

# (program, cases); each is a process of its own, some at a time.
RUNS = [
    ("damage", "a flipped bit anywhere in a snapshot is refused: hnsw"),
    ("damage", "a flipped bit anywhere in a snapshot is refused: flat"),
    ("damage", "files of any other length*"),
    ("damage", "damage with checksums that fit does no harm: hnsw"),
    ("damage", "damage with checksums that fit does no harm: flat"),
    ("damage", "any allocation may fail: hnsw in mapped files"),
    ("damage", "any allocation may fail: flat in mapped files"),
    ("damage", "any allocation may fail: hnsw in memory"),
    ("damage", "any allocation of *"),
    ("damage", "a flipped bit in pages*"),
    ("damage", "a flipped bit in a log*"),
    ("damage", "a full disk*"),
    ("store", "*full durability"),
    ("store", "*normal durability"),
    ("storage", "[breaking]"),
]

DAMAGE = [
    ("snapshot, one bit flipped", "flips of a snapshot"),
    ("the same, pages compared when they are read", "flips of a paged snapshot"),
    ("log closed in order, each bit flipped", "flips of a closed log"),
    ("log of a killed writer, each bit flipped", "flips of a log"),
    ("snapshot, every other length", "lengths of a snapshot"),
    ("log closed in order, every other length", "lengths of a closed log"),
    ("log of a killed writer, every other length", "lengths of a log"),
]


def run(program, cases, kills, step):
    """The figures of one process; stops everything where it fails."""
    with tempfile.NamedTemporaryFile("r") as file:
        environment = {**os.environ, "VICINAL_TEST_THOROUGH": str(step),
                       "VICINAL_TEST_KILLS": str(kills), "VICINAL_TEST_FIGURES": file.name}
        start = datetime.datetime.now()
        done = subprocess.run([str(program), cases], cwd=ROOT, env=environment, text=True,
                              capture_output=True)
        seconds = (datetime.datetime.now() - start).total_seconds()
        print(f"{program.name}: {cases}: {seconds:.0f} s", file=sys.stderr, flush=True)
        if done.returncode != 0 or "No test cases matched" in done.stdout:
            print(done.stdout[-5000:] + done.stderr[-5000:])
            raise SystemExit(f"{program.name} '{cases}' failed")
        if "SKIPPED" in done.stdout:
            print(re.search("SKIPPED.*", done.stdout)[0], file=sys.stderr)
        return [line.rsplit("\t", 1) for line in file.read().splitlines()]


def fuzz(program, seconds):
    with tempfile.TemporaryDirectory() as corpus:
        done = subprocess.run(
            [str(program), corpus, f"-max_total_time={seconds}", "-timeout=20", "-len_control=0",
             "-malloc_limit_mb=128", "-rss_limit_mb=2048", "-print_final_stats=1",
             f"-artifact_prefix={program.parent}/"], capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr[-5000:])
        raise SystemExit(f"{program.name} found something, see {program.parent}")
    return int(re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)[1])


def table(figures, executions):
    yield "| damaged | tries | refused | answers as before | last write dropped, and said so | " \
          "other answers |"
    yield "|---|---|---|---|---|---|"
    for title, name in DAMAGE:
        total = collections.Counter()
        for key, n in figures.items():
            what, _, outcome = key.rpartition(": ")
            if what.startswith(name + ","):
                total[outcome] += n
        cells = [f"{total[k]:,}" for k in ("tries", "refused", "same", "dropped", "different")]
        yield f"| {title} | " + " | ".join(cells) + " |"
    yield ""
    yield "| broken | times | lost, wrong or crashed |"
    yield "|---|---|---|"
    mutations = sum(n for key, n in figures.items() if key.startswith("mutations"))
    rows = [
        ("random damage behind checksums that fit", mutations),
        ("`snapshot_fuzz`, executions with AddressSanitizer and UBSan", executions[0]),
        ("`log_fuzz`, executions with AddressSanitizer and UBSan", executions[1]),
        ("an allocation that fails", figures["allocations failed"]),
        ("a call to the operating system that fails", figures["calls failed"]),
        ("a power cut: directories that it may leave", figures["power cuts"]),
        ("a disk that is full", figures["full disks"]),
        ("`kill -9` of a writer", figures["kills"]),
    ]
    for what, n in rows:
        yield f"| {what} | {n:,} | 0 |"
    yield ""
    yield (f"Before the kills {figures['writes acknowledged before kills']:,} writes were "
           "acknowledged.")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("tests", type=pathlib.Path)
    arguments.add_argument("fuzz", type=pathlib.Path)
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("--kills", type=int, default=1000)
    arguments.add_argument("--seconds", type=int, default=120)
    arguments.add_argument("--step", type=int, default=1)
    arguments.add_argument("--jobs", type=int, default=2)
    o = arguments.parse_args()
    figures = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        runs = [pool.submit(run, o.tests / f"vicinal-test-{program}", cases, o.kills, o.step)
                for program, cases in RUNS]
        fuzzing = [pool.submit(fuzz, o.fuzz / name, o.seconds)
                   for name in ("snapshot_fuzz", "log_fuzz")]
        for one in runs:
            for key, n in one.result():
                figures[key] += int(n)
        executions = [one.result() for one in fuzzing]
    part = f"; of a snapshot's padding and lengths every {o.step}th" if o.step > 1 else ""
    lines = [f"{datetime.date.today():%d %B %Y}, by `./dev break --write`{part}:", "",
             *table(figures, executions)]
    text = "\n".join(lines)
    print(text)
    if o.write:
        page = OUTPUT.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        OUTPUT.write_text(before + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1],
                          encoding="utf-8")


if __name__ == "__main__":
    main()
