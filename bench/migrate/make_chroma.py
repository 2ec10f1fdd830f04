#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the directory that migrate_bench reads, with the real Chroma: 100,000 records of 384 floats
with a document and four fields each. Some three minutes.

    python3 -m venv chroma && chroma/bin/pip install chromadb numpy
    chroma/bin/python bench/migrate/make_chroma.py DIRECTORY
    VICINAL_BENCH_CHROMA=DIRECTORY ./dev bench migrate
"""
import sys

import chromadb
import numpy

RECORDS, BATCH, DIM = 100_000, 5_000, 384


def main():
    client = chromadb.PersistentClient(sys.argv[1])
    collection = client.create_collection("docs", metadata={"hnsw:space": "l2"},
                                          embedding_function=None)
    random = numpy.random.default_rng(1)
    for first in range(0, RECORDS, BATCH):
        rows = range(first, first + BATCH)
        collection.add(
            ids=[f"doc-{i:06d}" for i in rows],
            embeddings=random.standard_normal((BATCH, DIM)).astype("float32"),
            documents=[f"passage {i} of a text, some eighty bytes long, as passages have it when "
                       f"they are cut small" for i in rows],
            metadatas=[{"page": i % 300, "source": f"file_{i % 50}.txt", "score": i / 7,
                        "flag": bool(i % 2)} for i in rows])
        print(first + BATCH, flush=True)


if __name__ == "__main__":
    main()
