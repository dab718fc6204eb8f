"""A Dask cluster on this machine as a user would start it: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pantel_bench.errors import ClusterError

__all__ = ["LocalDask", "local_dask"]

_START_S = 60.0
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class LocalDask:
    """A cluster that runs.

    Attributes:
        address: Of its scheduler, over TCP.
        scheduler: That.
        workers: Its workers.
    """

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: Sequence[subprocess.Popen[bytes]]

    def cpu_s(self) -> float:
        """Return the computing time of all its processes, while they run [s]."""
        from psutil import Process

        used = [Process(process.pid).cpu_times() for process in (self.scheduler, *self.workers)]
        return sum(float(each.user + each.system) for each in used)


@contextmanager
def local_dask(folder: Path, workers: int) -> Iterator[LocalDask]:
    """Run a scheduler and so many workers of one thread each.

    Args:
        folder: For what they write; exists.
        workers: How many, or none; one that dies is not started again.

    Raises:
        ClusterError: They do not start.
    """
    from distributed import Client

    place = folder / "scheduler.json"
    place.unlink(missing_ok=True)
    with ExitStack() as stack:
        common = ["--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(place)]
        scheduler = stack.enter_context(_dask(folder, "scheduler", "--host", "127.0.0.1", "--port", "0", *common))
        address = _address(place, scheduler)
        worker = ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder), *common]
        processes = [stack.enter_context(_dask(folder, "worker", *worker)) for _ in range(workers)]
        try:
            with Client(address, timeout=_START_S) as client:
                if workers:
                    client.wait_for_workers(workers, timeout=_START_S)
        except (OSError, TimeoutError) as error:
            raise ClusterError(f"the workers of {address} do not start: {error}; see {folder / 'dask.log'}") from error
        yield LocalDask(address, scheduler, processes)


def _address(place: Path, scheduler: subprocess.Popen[bytes]) -> str:
    """Return where a scheduler listens, once it says so."""
    deadline_s = time.monotonic() + _START_S
    while time.monotonic() < deadline_s and scheduler.poll() is None:
        try:
            return str(json.loads(place.read_text())["address"])
        except (FileNotFoundError, ValueError):  # not yet, or not yet all of it
            time.sleep(_LOOK_S)
    raise ClusterError(f"the Dask scheduler does not start; see {place.parent / 'dask.log'}")


@contextmanager
def _dask(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "dask.log").open("ab") as log:
        command = [sys.executable, "-m", "dask", *arguments]
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # noqa: S603 - ours
    try:
        yield process
    finally:
        process.kill()
        process.wait()
