# SPDX-License-Identifier: MIT
"""What the parts of docs/benchmarks.md share: running a program, writing a table."""
import json
import subprocess
import sys
import tempfile


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def report(program):
    """What a program of ours writes with --json: a list of objects."""
    print("running", program, file=sys.stderr)
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([str(program), "--json", file.name], check=True, stdout=subprocess.DEVNULL)
        return json.load(file)[program.name.removesuffix("_bench")]
