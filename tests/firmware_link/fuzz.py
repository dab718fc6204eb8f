"""Attacks everything that reads what others wrote, and counts: nothing may be believed that nobody sent.

``python -m tests.firmware_link.fuzz --inputs 1000000 --seed 1`` tries so many inputs, a tenth as many forgeries, and a
hundredth as many recordings; ``make fuzz`` does that. Parts of it are in the package `attacks` beside it. It fails if
something was believed or delivered twice, if anything was raised but a reader's own error, if statistics do not add up,
or if a genuine packet was lost between the bad ones.

A trailer has 32 bits, so a random one fits once in 2^32 tries: the report says what chance would let pass. A run of a
million inputs shows that the checks are made, all of them and everywhere; it says nothing about rates below 1e-6.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.firmware_link.attacks.intruder import attack_with_forgeries, attack_with_jammed, attack_with_recordings
from tests.firmware_link.attacks.line import attack_codewords, attack_packets
from tests.firmware_link.attacks.readers import attack_captures, attack_payloads
from tests.firmware_link.attacks.report import Report


def fuzz(inputs: int, seed: int) -> Report:
    """Make all attacks.

    Args:
        inputs: How many; a tenth are codewords, a twentieth payloads and a two-hundredth captures.
        seed: Of all that is random.
    """
    report = Report()
    codewords, payloads, captures = inputs // 10, inputs // 20, inputs // 200
    attack_packets(report, inputs - codewords - payloads - captures, random.Random(f"packets {seed}"))
    attack_codewords(report, codewords, random.Random(f"codewords {seed}"))
    attack_payloads(report, payloads, random.Random(f"payloads {seed}"))
    with tempfile.TemporaryDirectory() as folder:
        attack_captures(report, captures, random.Random(f"captures {seed}"), Path(folder))
    attack_with_forgeries(report, inputs // 10, random.Random(f"forgeries {seed}"))
    attack_with_recordings(report, inputs // 100, random.Random(f"recordings {seed}"))
    attack_with_jammed(report, inputs // 1000, random.Random(f"jammed {seed}"))
    return report


def main() -> int:
    """Attack as the arguments say, and tell what came of it."""
    parser = argparse.ArgumentParser(description="Attack the link with inputs that nobody sent.")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    logging.disable()  # damaged captures are what this is about
    begun_s = time.monotonic()
    report = fuzz(arguments.inputs, arguments.seed)
    sys.stdout.write("\n".join([*report.lines(), f"{time.monotonic() - begun_s:.0f} s, seed {arguments.seed}"]) + "\n")
    return 0 if report.clean else 1


if __name__ == "__main__":
    sys.exit(main())
