"""The command line as a process that ends with its parent, however that ends: ``-m …bound_daemon PARENT WORD…``.

It asks the kernel for that itself: nothing else can be done safely between fork and exec in a process with threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

__all__: list[str] = []

_PR_SET_PDEATHSIG = 1


def _run(parent: int, words: list[str]) -> int:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM))
    if os.getppid() != parent:  # it has ended before
        return 128 + signal.SIGTERM
    from pantel_device.cli import main

    return main(words)


if __name__ == "__main__":
    raise SystemExit(_run(int(sys.argv[1]), sys.argv[2:]))
