"""Work over many items: the same in this process and in others, whatever happens to some of them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pantel_bench.archive.cluster import LocalDask, local_dask
from pantel_device import cluster
from pantel_device.cluster import Failure, Workers, open_workers
from pantel_device.command import CommandError, UsageError


def invert(number: int) -> float:
    return 1 / number


def suicidal(path: Path) -> int:
    """End the process the first time that it works on this item."""
    if not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def raise_timeout(_: int) -> None:
    raise TimeoutError("of its own")


@pytest.fixture(scope="module")
def processes() -> Iterator[Workers]:
    with open_workers(2, None) as workers:
        yield workers


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[LocalDask]:
    with local_dask(tmp_path, 2) as running:
        yield running


def test_each_item_has_its_result_and_failures_are_results(processes: Workers) -> None:
    with open_workers(1, None) as here:
        for workers in (here, processes):
            results = dict(workers.map(invert, range(-20, 20)))
            assert len(results) == 40
            failure = results.pop(0)
            assert isinstance(failure, Failure)
            assert str(failure) == "ZeroDivisionError: division by zero"
            assert isinstance(failure.__cause__, ZeroDivisionError)
            assert results == {number: 1 / number for number in range(-20, 20) if number}


def test_items_are_taken_as_they_are_needed(processes: Workers) -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(1, 10**9):
            taken.append(number)
            yield number

    results = processes.map(invert, numbers())
    for _ in range(50):
        next(results)
    results.close()  # type: ignore[attr-defined]
    assert 50 <= len(taken) <= 50 + 2 * 4 * 2


def test_a_job_may_time_out_itself(processes: Workers) -> None:
    ((_, result),) = processes.map(raise_timeout, [1])
    assert str(result) == "TimeoutError: of its own"


def test_other_processes_work(processes: Workers) -> None:
    names = processes.ask_each(os.getpid)
    assert len(set(names.values()) - {os.getpid()}) == 2
    with open_workers(1, None) as here:
        assert here.ask_each(os.getpid) == {"here": os.getpid()}


def test_a_worker_that_dies_loses_nothing(processes: Workers, tmp_path: Path) -> None:
    paths = [tmp_path / str(number) for number in range(6)]
    assert all(isinstance(result, int) for _, result in processes.map(suicidal, paths))


def test_a_cluster_works_until_its_scheduler_is_gone(dask: LocalDask) -> None:
    with open_workers(None, dask.address) as workers:
        assert dict(workers.map(invert, range(1, 30))) == {number: 1 / number for number in range(1, 30)}
        results = workers.map(time.sleep, [0.01] * 1000)
        next(results)
        dask.scheduler.kill()
        with pytest.raises(CommandError, match=r"the Dask scheduler tcp://.* is gone; run the same again"):
            list(results)


def test_what_a_dead_worker_held_is_done_again(dask: LocalDask) -> None:
    with open_workers(None, dask.address) as workers:
        results = workers.map(time.sleep, [number / 1e5 for number in range(300)])
        next(results)
        dask.workers[0].kill()
        assert sum(1 for _, result in results if result is None) == 299


def test_clusters_that_cannot_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        local_dask(tmp_path, 0) as dask,
        open_workers(None, dask.address) as workers,
        pytest.raises(CommandError, match=r"has no workers; start some"),
    ):
        workers.ask_each(os.getpid)
    monkeypatch.setattr(cluster, "_CONNECT_S", 1)
    with pytest.raises(UsageError, match=r"is no address of a Dask scheduler"), open_workers(None, "a://b"):
        pass
    with pytest.raises(CommandError, match=r"no Dask scheduler answers"), open_workers(None, dask.address):
        pass
