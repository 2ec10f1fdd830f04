#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the tables of this directory with pyarrow, and rows.jsonl: what is to be read of each.

Every table has the same rows; they differ in how these lie in the file. Made with pyarrow 26.0.1;
made again they may differ in bytes, but not in what they say.
"""
import datetime
import decimal
import json
import pathlib
import random
import struct

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent
ROWS = 120
rng = random.Random(1)


def nullable(i, every, v):
    return None if i % every == every - 1 else v


def as_float(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def row(i):
    moment = datetime.datetime(1969, 12, 31, 23, 59, 59, 250000) + datetime.timedelta(days=37 * i)
    return {
        "id": f"row-{i:03}",
        "vector": [as_float(rng.gauss(0, 1)) for _ in range(5)] if i % 11 != 7 else None,
        "b": nullable(i, 5, i % 3 == 0),
        "i8": i % 100 - 50,
        "u64": nullable(i, 7, 2**63 - 1 - i),
        "half": nullable(i, 4, i / 4),
        "single": as_float(i * 0.1),
        "real": nullable(i, 3, i * 0.1),
        "text": nullable(i, 6, f"text {i % 13} ünï 日本 🦀"),
        "long": f"common prefix of many texts {i:05}",
        "day": nullable(i, 9, datetime.date(1968, 2, 29) + datetime.timedelta(days=97 * i)),
        "moment": nullable(i, 8, moment),
        "utc": moment.replace(tzinfo=datetime.timezone.utc),
        "clock": datetime.time(i % 24, 59, 1, 1000 * i),
        "money": nullable(i, 10, decimal.Decimal(i * 31 - 4000) / 100),
        "tags": nullable(i, 4, [f"t{j}" for j in range(i % 4)]),
        "grid": nullable(i, 6, [[j, None, i][: j + 1] for j in range(i % 3)]),
        "inner": nullable(i, 5, {"x": nullable(i, 3, i), "words": ["a", "b"][: i % 3]}),
        "map": nullable(i, 7, [(f"k{j}", j * i) for j in range(i % 3)]),
        "people": nullable(i, 8, [{"name": f"n{j}", "age": nullable(j, 2, j)}
                                  for j in range(i % 3)]),
    }


SCHEMA = pa.schema([
    ("id", pa.string()), ("vector", pa.list_(pa.float32())), ("b", pa.bool_()), ("i8", pa.int8()),
    ("u64", pa.uint64()), ("half", pa.float16()), ("single", pa.float32()), ("real", pa.float64()),
    ("text", pa.string()), ("long", pa.string()), ("day", pa.date32()),
    ("moment", pa.timestamp("us")), ("utc", pa.timestamp("ms", tz="UTC")),
    ("clock", pa.time64("us")), ("money", pa.decimal128(10, 2)), ("tags", pa.list_(pa.string())),
    ("grid", pa.list_(pa.list_(pa.int32()))),
    ("inner", pa.struct([("x", pa.int64()), ("words", pa.list_(pa.string()))])),
    ("map", pa.map_(pa.string(), pa.int64())),
    ("people", pa.list_(pa.struct([("name", pa.string()), ("age", pa.int32())]))),
])


def iso(moment):
    text = moment.isoformat().replace("+00:00", "")
    return text.rstrip("0") if "." in text else text


def expected(r):
    """What a record holds of a row: nulls are left out, moments are text."""
    def clean(v):
        if isinstance(v, dict):
            return {k: clean(x) for k, x in v.items() if x is not None}
        if isinstance(v, list):
            return [clean(x) for x in v]
        return v
    p = {k: v for k, v in r.items() if k not in ("id", "vector") and v is not None}
    if "day" in p:
        p["day"] = p["day"].isoformat()
    if "moment" in p:
        p["moment"] = iso(p["moment"])
    p["utc"] = iso(p["utc"]) + "Z"
    p["clock"] = iso(p["clock"])
    if "money" in p:
        p["money"] = str(p["money"].quantize(decimal.Decimal("0.01")))
    if "map" in p:
        p["map"] = dict(p["map"])
    return {"id": r["id"], "vector": r["vector"] or [], "payload": clean(p)}


def main():
    rows = [row(i) for i in range(ROWS)]
    with open(HERE / "rows.jsonl", "w", encoding="utf-8") as out:
        for r in rows:
            out.write(json.dumps(expected(r), ensure_ascii=False) + "\n")
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    small = {"row_group_size": 50, "data_page_size": 512, "write_batch_size": 16}
    plain = {"use_dictionary": False}
    pq.write_table(table, HERE / "v1_dictionary_snappy.parquet", version="1.0",
                   compression="snappy", write_page_checksum=True, **small)
    pq.write_table(table, HERE / "v2_plain_zstd.parquet", data_page_version="2.0",
                   compression="zstd", **plain, **small)
    pq.write_table(table, HERE / "v2_dictionary_none.parquet", data_page_version="2.0",
                   compression="none", **small)
    delta = {"id": "DELTA_LENGTH_BYTE_ARRAY", "i8": "DELTA_BINARY_PACKED",
             "u64": "DELTA_BINARY_PACKED", "text": "DELTA_BYTE_ARRAY", "long": "DELTA_BYTE_ARRAY",
             "vector.list.element": "BYTE_STREAM_SPLIT", "half": "BYTE_STREAM_SPLIT",
             "real": "BYTE_STREAM_SPLIT", "moment": "DELTA_BINARY_PACKED",
             "grid.list.element.list.element": "DELTA_BINARY_PACKED", "b": "RLE"}
    pq.write_table(table, HERE / "v2_delta_gzip.parquet", data_page_version="2.0",
                   compression="gzip", column_encoding=delta, **plain, **small)

    # Rows of which some are no records; columnar_layouts_test.cpp says what is to be made of them.
    odd = pa.table({
        "_id": pa.array([1, None, 3, 4, 5, 6], pa.int64()),
        "vector": pa.array([[0.1, 2.0], [1.0], [1.0, None], [1e300], None, [0.5]],
                           pa.list_(pa.float64())),
        "metadata": pa.array(['{"genre": "drama", "year": 2020}', "{}", "{}", "{}", "plain text",
                              '{"broken'], pa.string()),
        "genre": pa.array(["column", "b", "c", "d", None, "f"], pa.string()),
        "raw": pa.array([b"text", b"", b"", b"", b"\xff\x00", b"\x00a"], pa.binary()),
    })
    pq.write_table(odd, HERE / "odd_rows.parquet", compression="none")
    ids = pa.table({"vector": odd["vector"].slice(4, 2), "n": pa.array([7, 8])})
    pq.write_table(ids, HERE / "no_ids.parquet", compression="none")

    # Arrow has a vector of fixed size, a dictionary, and batches of several sizes.
    index = SCHEMA.get_field_index("vector")
    fixed = table.set_column(index, "vector", table["vector"].cast(pa.list_(pa.float32(), 5)))
    text = SCHEMA.get_field_index("text")
    coded = fixed.set_column(text, "text", fixed["text"].dictionary_encode())
    large = coded.set_column(SCHEMA.get_field_index("long"), "long",
                             coded["long"].cast(pa.large_string()))
    for name, compression in (("none", None), ("zstd", "zstd"), ("lz4", "lz4")):
        options = ipc.IpcWriteOptions(compression=compression)
        with ipc.new_file(HERE / f"batches_{name}.arrow", large.schema, options=options) as out:
            out.write_table(large, max_chunksize=50)
    delta = ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with ipc.new_stream(HERE / "lists_delta.arrows", coded.schema, options=delta) as out:
        for from_row in range(0, ROWS, 40):
            piece = fixed.slice(from_row, 40)
            piece = piece.set_column(text, "text", piece["text"].dictionary_encode())
            out.write_table(piece)
    views = table.set_column(text, "text", table["text"].cast(pa.string_view()))
    with ipc.new_stream(HERE / "views.arrows", views.schema) as out:
        out.write_table(views, max_chunksize=50)


main()
