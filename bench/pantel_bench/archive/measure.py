"""Replays one archive in every way, breaks off some of them, and compares the tables."""

from __future__ import annotations

import hashlib
import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pantel_bench.archive.captures import make_capture, plans, record_payloads
from pantel_bench.archive.cluster import local_dask
from pantel_bench.errors import ClusterError
from pantel_device.archives.tables import TABLES

__all__ = ["ArchiveRun", "ArchiveSettings", "MadeArchive", "make_archive", "measure_ways"]

_WORKERS = 2
_LONGEST_S = 7200.0
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """What is measured.

    Attributes:
        captures: How many.
        seconds: How long each is [s].
        folder: Where archive and results are.
    """

    captures: int
    seconds: float
    folder: Path


@dataclass(frozen=True, slots=True)
class MadeArchive:
    """The archive.

    Attributes:
        folder: Where it is.
        octets: Its size.
        took_s: To make it [s].
    """

    folder: Path
    octets: int
    took_s: float


@dataclass(frozen=True, slots=True)
class ArchiveRun:
    """One way of replaying the archive.

    Attributes:
        way: What was done.
        processes: That replayed.
        took_s: From the command to its end; of one that was broken off, of both commands together [s].
        start_s: From the command until the first capture was done [s].
        done_before: Captures that were done when a process was killed; None where none was.
        replayed_again: Captures that the second command has replayed; None where there was none.
        cpu_s: Computing time of all processes, the cluster's, too [s]; None where one was killed, with its count.
        sha256: Of all tables together.
    """

    way: str
    processes: int
    took_s: float
    start_s: float
    done_before: int | None
    replayed_again: int | None
    cpu_s: float | None
    sha256: str


def make_archive(settings: ArchiveSettings, done: Callable[[str], None]) -> MadeArchive:
    """Write the archive; all captures share the payloads of one scene, from different ones on."""
    began_s = time.monotonic()
    folder, payloads = settings.folder / "archive", settings.folder / "payloads.txt"
    folder.mkdir()
    record_payloads(payloads, settings.seconds)
    logging.getLogger("pantel_link.captures").setLevel(logging.WARNING)  # a line for each new file
    octets = 0
    for plan in plans(folder, settings.captures, settings.seconds, payloads):
        octets += make_capture(plan)
        done(plan.path.name)
    return MadeArchive(folder, octets, time.monotonic() - began_s)


def measure_ways(settings: ArchiveSettings, archive: Path, done: Callable[[str], None]) -> list[ArchiveRun]:
    """Replay the archive in one process, on all cores, on a cluster; with a worker killed, and the command itself.

    Raises:
        ClusterError: A command fails, or the cluster does not start.
    """
    cores = len(os.sched_getaffinity(0))
    half = settings.captures // 2
    runs = []

    def note(run: ArchiveRun) -> None:
        runs.append(run)
        done(run.way)

    note(_Command(settings, archive, "one", "--jobs", "1").measure("one process", 1))
    note(_Command(settings, archive, "all", "--jobs", str(cores)).measure("all cores", cores))
    with local_dask(settings.folder, _WORKERS) as dask:
        command = _Command(settings, archive, "cluster", "--scheduler", dask.address)
        idle_s = dask.cpu_s()
        run = command.measure("cluster of two workers", _WORKERS)
        note(replace(run, cpu_s=(run.cpu_s or 0.0) + dask.cpu_s() - idle_s))
        command = _Command(settings, archive, "killed", "--scheduler", dask.address)
        note(command.measure("the same, a worker killed half-way", _WORKERS, half, dask.workers[0].kill))
    command = _Command(settings, archive, "resumed", "--jobs", str(cores))
    note(command.measure("all cores, the command killed half-way and given again", cores, half))
    return runs


class _Command:
    """`pantel replay` of the archive into a folder of its own."""

    def __init__(self, settings: ArchiveSettings, archive: Path, name: str, *options: str) -> None:
        self._captures = settings.captures
        self._results = settings.folder / f"results-{name}"
        self._log = settings.folder / f"{name}.log"
        self._command = [sys.executable, "-m", "pantel_device", "replay", str(archive)]
        self._command += ["--results", str(self._results), *options]

    def measure(
        self, way: str, processes: int, kill_at: int | None = None, kill: Callable[[], None] | None = None
    ) -> ArchiveRun:
        """Give the command.

        Args:
            way: What this is.
            processes: That work.
            kill_at: Captures that shall be done when a process is killed; None for none.
            kill: Kills one; None: the command itself is killed, and given again.

        Raises:
            ClusterError: It fails.
        """
        began_s, used_s = time.monotonic(), _cpu_s()
        process = self._start()
        self._wait(process, 1)
        start_s = time.monotonic() - began_s
        done_before = again = None
        if kill_at is not None:
            self._wait(process, kill_at)
            done_before = self._parts()
            if kill is None:
                process.kill()
                process.wait()
                done_before = self._parts()
                process = self._start()
            else:
                kill()
        code = process.wait(_LONGEST_S)
        took_s = time.monotonic() - began_s
        said = self._log.read_text()
        if code != 1 or self._parts() != self._captures:  # 1: some of the captures are damaged, as they were made
            raise ClusterError(f"{way} ended with code {code}; see {self._log}")
        if kill_at is not None and kill is None:
            again = int(said.rpartition(" captures: ")[2].partition(" replayed")[0])
        cpu_s = _cpu_s() - used_s if kill_at is None else None
        return ArchiveRun(way, processes, took_s, start_s, done_before, again, cpu_s, _sha256(self._results))

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("wb") as log:
            return subprocess.Popen(self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # noqa: S603

    def _wait(self, process: subprocess.Popen[bytes], parts: int) -> None:
        """Wait until so many captures are done, or the process has ended."""
        while process.poll() is None and self._parts() < parts:
            time.sleep(_LOOK_S)

    def _parts(self) -> int:
        return sum(1 for _ in self._results.glob("parts/??/*.json"))


def _cpu_s() -> float:
    """Return the computing time of processes that have ended, and of those that they have waited for [s]."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _sha256(results: Path, names: Sequence[str] = TABLES) -> str:
    digest = hashlib.sha256()
    for name in names:
        digest.update((results / f"{name}.parquet").read_bytes())
    return digest.hexdigest()
