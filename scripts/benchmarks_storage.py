# SPDX-License-Identifier: MIT
"""What the programs under bench/storage measured, as parts of docs/benchmarks.md."""
from benchmarks_report import report, table


def opening(directory):
    lines = report(directory / "open_bench")
    of = {e["what"]: e for e in lines}
    cold = of.pop("cold")
    yield "### Opening and mapping"
    yield ""
    yield ("A graph of 1,000,000 x 128 (sift five times, with noise) in a directory, opened "
           "read-only up to its first answer; medians of 21. Then the queries of sift, one at a "
           "time, in turn with the same store loaded into memory.")
    yield ""
    yield from table(["open to first answer", "processor", "clock"],
                     [[name, f"{e['used_ms']:.2f} ms", f"{e['wall_ms']:.2f} ms"]
                      for name, e in of.items() if "used_ms" in e])
    yield ""
    yield (f"With nothing of the file in memory the first answer takes {cold['wall_ms']:.1f} ms; "
           f"reading the {cold['read_mb']:.1f} MB that it touches takes {cold['read_ms']:.1f} ms: "
           f"{cold['times']:.2f} times.")
    yield ""
    yield from table(["searching", "queries/s", "of memory"],
                     [[name, f"{e['qps']:,.0f}", f"{e['of_memory']:.2f}"]
                      for name, e in of.items() if "qps" in e])
    yield ""


def durable(directory):
    lines = report(directory / "durable_bench")
    yield "### Durability"
    yield ""
    yield ("Batches of 1,000 rows of sift into `index::hnsw<>`, one batch in turn to a store in "
           "memory and to one for each durability; times of the clock.")
    yield ""
    yield from table(["durability", "seconds", "speed of memory"],
                     [[e["durability"], f"{e['seconds']:.2f}", f"{e['share']:.2f}"]
                      for e in lines if e["what"] == "write"])
    yield ""
    yield ("Opened after its writer was killed: a tenth of the records are in the log and not in "
           "the graph; they are scanned until later writes, or the threads given to `open`, have "
           "taken them in.")
    yield ""
    yield from table(
        ["records", "of them in the log, in batches of", "open", "first answer", "then a search",
         "an upsert", "the longest of 51"],
        [[f"{e['rows'] + e['logged']:,.0f}", f"{e['logged']:,.0f}, {e['batch']}",
          f"{e['open']:.3f} s", f"{e['answer']:.3f} s", f"{e['search'] * 1e3:.2f} ms",
          f"{e['upsert'] * 1e3:.2f} ms", f"{e['longest'] * 1e3:.1f} ms"]
         for e in lines if e["what"] == "open"])
    yield ""


def paged(directory):
    yield "### A store larger than memory"
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


SECTIONS = {"open": opening, "durable": durable, "file": paged}
INTRODUCTION = ["## Storage", "",
                "One process, one thread, but where a part says otherwise; the directories lie on "
                "the machine's disk.", ""]
