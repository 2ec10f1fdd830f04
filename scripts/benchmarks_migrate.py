# SPDX-License-Identifier: MIT
"""What the programs under bench/migrate measured, as parts of docs/benchmarks.md."""
from benchmarks_report import report, table


def moving(directory):
    lines = report(directory / "migrate_bench")
    yield "## Moving records"
    yield ""
    yield ("1,000,000 records of 384 floats as JSON Lines with the shortest decimals, and 100,000 "
           "in a directory that Chroma 1.x wrote (bench/migrate/make_chroma.py; MB of vectors), "
           "into `index::flat<>` in memory, not verified; the clock's time. `nowhere` is a sink "
           "that drops them: what reading costs.")
    yield ""
    yield from table(["what", "records/s", "MB/s"],
                     [[e["what"], f"{e['records_per_second']:,.0f}",
                       f"{e['megabytes_per_second']:,.0f}"]
                      for e in lines if "records_per_second" in e])
    yield ""
    for e in lines:
        if "most_megabytes" in e:
            yield (f"The same million from file to file on two threads, every record verified, "
                   f"takes {e['most_megabytes']:.0f} MB of memory at most.")
            yield ""


SECTIONS = {"migrate": moving}
