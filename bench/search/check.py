#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check.py PROGRAM: runs vicinal-bench over a tiny set in each mode and looks at what it wrote."""
import array
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROWS, QUERIES, DIM, K = 3000, 40, 16, 10
FIELDS = {"system", "effort", "recall", "queries_per_second", "build_cpu_seconds",
          "tune_cpu_seconds", "bytes_per_vector"}


def write_rows(path, rows):
    values = array.array("f", [x for row in rows for x in row])
    path.write_bytes(struct.pack("<II", len(rows), DIM) + values.tobytes())


def check(true, what):
    if not true:
        sys.exit(f"check.py: {what}")


def search(program, directory, *more):
    out = directory / "points.json"
    out.unlink(missing_ok=True)
    command = [program, "search", "--base", directory / "tiny.base.fbin", "--query",
               directory / "tiny.query.fbin", "--k", str(K), "--seconds", "0.001", "--rounds", "1",
               "--efforts", "20,80", "--least-queries", "1", "--json", out, *more]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    points = json.loads(out.read_text())
    check(points, "no points")
    for point in points:
        check(FIELDS <= point.keys(), f"a field is missing in {point}")
        check(0 <= point["recall"] <= 1, f"recall of {point}")
        check(point["queries_per_second"] > 0, f"speed of {point}")
    return points


def best(points, system):
    return max(point["recall"] for point in points if point["system"] == system)


def main():
    program = sys.argv[1]
    random.seed(1)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        centres = [[random.gauss(0, 1) for _ in range(DIM)] for _ in range(20)]
        near = lambda: [x + random.gauss(0, 0.3) for x in random.choice(centres)]
        write_rows(directory / "tiny.base.fbin", [near() for _ in range(ROWS)])
        write_rows(directory / "tiny.query.fbin", [near() for _ in range(QUERIES)])

        picture = directory / "points.svg"
        for metric in ("squared_l2", "cosine", "inner_product"):
            points = search(program, directory, "--metric", metric, "--index", "flat,hnsw",
                            "--codec", "f32", "--svg", picture)
            check(best(points, "vicinal flat f32") == 1, f"flat misses rows by {metric}")
            check(best(points, "vicinal hnsw f32") > 0.95, f"hnsw misses rows by {metric}")
            raw = DIM * 4
            sizes = {point["system"]: point["bytes_per_vector"] for point in points}
            check(abs(sizes["vicinal flat f32"] - raw) < 2, f"flat takes {sizes}")
            check(raw + 100 < sizes["vicinal hnsw f32"] < raw + 300, f"hnsw takes {sizes}")
            xml.etree.ElementTree.parse(picture)

        points = search(program, directory, "--metric", "squared_l2", "--filter", "0.5,0.002")
        check({point["kept"] for point in points} == {0.5, 0.002}, "other shares than were asked")
        check(best(points, "scan of the matches") == 1, "the scan misses matches")
        check(best(points, "vicinal hnsw f32") > 0.95, "hnsw misses matches")

        points = search(program, directory, "--metric", "squared_l2", "--churn", "1", "--limit",
                        "2400", "--threads", "2")
        check(best(points, "vicinal hnsw f32 after 1 turnovers") > 0.95, "churn lost rows")
        check(best(points, "vicinal hnsw f32") > 0.95, "a fresh build misses rows")

        bad = subprocess.run([program, "search", "--base", picture, "--query", picture, "--metric",
                              "cosine"], capture_output=True, text=True)
        check(bad.returncode == 1 and "points.svg" in bad.stderr, f"a bad file: {bad.stderr}")


if __name__ == "__main__":
    main()
