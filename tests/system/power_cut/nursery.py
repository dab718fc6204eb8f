"""Where daemons are started quickly, and killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Self

__all__ = ["Nursery", "Programs"]


class Nursery:
    """Has daemons forked by the process of `zygote`."""

    def __enter__(self) -> Self:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.system.power_cut.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[3],
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._zygote.communicate(timeout=10)

    def start(self, argv: list[str], log: Path) -> int:
        """Start `pantel` and return the number of its process."""
        return self._ask({"argv": argv, "log": str(log)})

    def wait(self, number: int) -> int:
        """Wait for the end of a process; return its exit code, or the signal that has ended it, negative."""
        return self._ask({"wait": number})

    def _ask(self, order: dict[str, object]) -> int:
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(json.dumps(order) + "\n")
        self._zygote.stdin.flush()
        return int(self._zygote.stdout.readline())


class Programs:
    """Starts `pantel` as everybody does, with the interface of `Nursery`."""

    def __init__(self) -> None:
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, argv: list[str], log: Path) -> int:
        """Start `pantel` and return the number of its process."""
        with log.open("ab") as file:
            process = subprocess.Popen(
                [Path(sys.executable).parent / "pantel", *argv],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        self._processes[process.pid] = process
        return process.pid

    def wait(self, number: int) -> int:
        """Wait for the end of a process; return its exit code, or the signal that has ended it, negative."""
        return self._processes.pop(number).wait()
