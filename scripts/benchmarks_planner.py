# SPDX-License-Identifier: MIT
"""What the programs under bench/store measured, as parts of docs/benchmarks.md."""
from benchmarks_report import report, table

KINDS = {"independent": "independent of the query", "around": "around the query",
         "far": "far from the query"}


def cell(e):
    def of_bound(which):
        return f"{e[which]:,.0f} ({e[which + ' of bound']:.2f})"

    return [f"{100 * e['share']:g} %", f"{e['find']:,.0f}",
            f"{e['scan']:,.0f}", f"{e['walk']:,.0f}", f"{e['bound']:,.0f}", of_bound("cold"),
            of_bound("warm"), f"{e['recall']:.3f}"]


def planner(directory):
    yield "### Filters over a million records"
    yield ""
    yield ("1,000,000 x 128 (sift five times, with noise) with category, price, tags and "
           "timestamp; microseconds of one thread for ten neighbours, medians over 20 queries. "
           "`find` is evaluating the filter on all payloads, with indexes `count()`; `scan` a scan "
           "of the matches' codes that knows them beforehand; `walk` the search without a filter. "
           "The bound is 2.5 times the cheaper of scan and walk where the filter has nothing to do "
           "with the query, else 2.5 times find and scan together, and 20 us in both cases; in "
           "brackets the share of it that a search took, the first time that its filter came "
           "(cold) and when it had come often (warm). Each search asks for the least recall that "
           "gives 0.95 here, where every row has four near copies.")
    lines = report(directory / "planner_bench")
    missed = []
    for indexed in (0, 1):
        for kind, words in KINDS.items():
            cells = [e for e in lines if e["kind"] == kind and e["indexed"] == indexed]
            if not cells:
                continue
            where = f"{words}, {'ordered indexes' if indexed else 'no index'}"
            yield ""
            yield f"Matches {where}:"
            yield ""
            yield from table(["kept", "find", "scan", "walk", "bound", "cold", "warm",
                              "recall@10"], [cell(e) for e in cells])
            missed += [f"{100 * e['share']:g} % {where}" for e in cells if e["cold of bound"] > 1]
    yield ""
    if missed:
        yield "Beyond the bound when the filter is new: " + "; ".join(missed) + "."
        yield ""


SECTIONS = {"planner": planner}
