#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that kernels call nothing: check_kernels.py PROGRAM...

A function that a kernel (simd/dispatch.hpp) calls is compiled for the baseline and hands its
registers over through memory: an estimate of codec::rabitq took several times as long once, as the
body of a lambda was not inlined. What moves memory may be called. PROGRAM is of x86-64, compiled
with optimisation.
"""
import re
import shutil
import subprocess
import sys

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
KERNEL = re.compile(r"simd::.*kernel<.*>::(?:baseline|avx2|avx512\w*)\(")
CALL = re.compile(r"\tcall\w*\s+[0-9a-f]+ <(.*)>$")
HARMLESS = re.compile(r"^mem(?:cpy|move|set|cmp)\b")


def calls(program):
    """Yields (kernel, what it calls), and each kernel once with None."""
    text = subprocess.Popen(["objdump", "-d", "-C", "--no-show-raw-insn", program],
                            stdout=subprocess.PIPE, text=True)
    kernel = None
    for line in text.stdout:
        if function := FUNCTION.match(line):
            kernel = function[1] if KERNEL.search(function[1]) else None
            if kernel:
                yield kernel, None
        elif kernel and (call := CALL.search(line.rstrip())) and not HARMLESS.match(call[1]):
            yield kernel, call[1]
    if text.wait() != 0:
        sys.exit(f"objdump failed on {program}")


def main(programs):
    if shutil.which("objdump") is None:
        print("SKIPPED: kernels are read with objdump, which is not here")
        return 77
    kernels, found = set(), set()
    for program in programs:
        for kernel, called in calls(program):
            kernels.add(kernel)
            if called:
                found.add((kernel, called))
    for kernel, called in sorted(found):
        print(f"{kernel}\n    calls {called}")
    print(f"{len(kernels)} kernels, {len(found)} calls")
    return 1 if found or not kernels else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
