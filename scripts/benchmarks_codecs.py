# SPDX-License-Identifier: MIT
"""What the program under bench/codec measured, as a part of docs/benchmarks.md."""
import collections

from benchmarks_report import report, table

SETS = ("sift", "minilm", "mnist")
INDEXES = {"graph": "hnsw", "scan": "flat", "lists": "ivf"}


def codecs(directory):
    lines = report(directory / "codecs_bench")
    cells = collections.defaultdict(dict)
    indexes = []
    shape = {}
    for e in lines:
        if e["what"] == "codes":
            cells[e["codec"]][e["set"]] = e
        else:
            indexes.append(e)
        shape[e["what"], e["set"]] = f"{e['rows']:,.0f} x {e['dim']:.0f}"

    def sizes(what):
        return ", ".join(f"{name} {shape[what, name]}" for name in SETS
                         if (what, name) in shape)

    yield "## Codecs"
    yield ""
    yield ("The share of the ten nearest vectors that are among the ten nearest of what codes "
           "stand for, which is what a store of `codec::only<Codec>` comes to at most, and the "
           "bytes of a code: " + sizes("codes") + ", under squared L2 (minilm is of length 1, so "
           "that cosine is the same), 200 queries each; and the seconds in which one thread "
           "learnt what the codec learns and encoded all. Where vectors are kept candidates are "
           "compared by them, and these are no limits.")
    yield ""
    yield from table(["codec"] + [cell for name in SETS for cell in (name, "recall@10", "s")],
                     [[f"`{codec}`"] + [cell for name in SETS
                                        for cell in ([f"{row[name]['bytes']:.0f}",
                                                      f"{row[name]['recall']:.3f}",
                                                      f"{row[name]['seconds']:.1f}"]
                                                     if name in row else [""] * 3)]
                      for codec, row in cells.items()])
    yield ""
    yield ("Indexes of 16 links a node, scans (`index::flat`) and lists (`index::ivf`), with their "
           "codes: bytes as a share of the vectors', the centres of lists left out, and "
           "microseconds of one thread for a search that finds 0.95 and 0.99 of the ten nearest, "
           "at the least effort that does; what the largest effort comes to; and the seconds of "
           "building. All of a set took turns: " + sizes("graph") + "; lists: " + sizes("lists") +
           ". `only<...>` keeps no vectors; those of the others may lie on the disk "
           "(`storage::mmap`) and are in memory here.")
    yield ""
    yield from table(["set", "index", "codec", "bytes", "us at 0.95", "us at 0.99", "recall@10",
                      "seconds"],
                     [[e["set"], INDEXES[e["what"]], f"`{e['codec']}`",
                       f"{e['share']:.3f}"] +
                      [f"{e[us]:.0f}" if e[us] > 0 else "-" for us in ("us at 0.95", "us at 0.99")]
                      + [f"{e['recall']:.4f}", f"{e['seconds']:.1f}"]
                      for e in indexes])
    yield ""


SECTIONS = {"codecs": codecs}
