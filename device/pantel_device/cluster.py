"""A function over many items: in this process, on all cores of the machine, or on a Dask cluster that runs already.

Dask is the engine for both of the latter; it is imported when they are used.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pantel_device.command import CommandError, UsageError

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["Failure", "InProcess", "Workers", "open_workers"]

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

_WINDOW_PER_CORE = 4  # tasks under way: enough that no core waits, and few enough for any number of items
_CONNECT_S = 10
# A terminal sends Ctrl-C to all processes; ours ends the others, which have nothing to say about it.
# Nor has Dask in them about tasks that this cuts short, whatever its configuration says of other loggers.
_IN_WORKERS = """
import logging, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
logging.getLogger("distributed.worker.state_machine").setLevel(logging.CRITICAL)
"""
_OWN_PORT = "127.0.0.1:0"  # of Dask's own page: any that is free, for this machine alone
_LOOK_S = 10.0  # how often it is looked whether there is still anybody to work


class Failure(Exception):  # noqa: N818 - what became of an item, to be looked at rather than caught
    """An item whose function has raised, or whose workers have died again and again; says why in one line."""


class Workers(Protocol):
    """Who does the work.

    Attributes:
        description: Who they are, for people.
    """

    description: str

    def ask_each(self, question: Callable[[], Result]) -> dict[str, Result]:
        """Return what a function returns in each process that works, by its name.

        Raises:
            CommandError: It cannot be called there.
        """

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result | Failure]]:
        """Yield each item with what the function makes of it, in the order in which they are done.

        A worker that dies loses nothing: another one does its items again.

        Args:
            function: Importable by its name; works on an item at a time.
            items: Taken as they are needed, so there may be any number.

        Raises:
            CommandError: The cluster is gone.
        """


class InProcess:
    """Works here, on one item after the other."""

    description = "one process"

    def ask_each(self, question: Callable[[], Result]) -> dict[str, Result]:
        """Ask this process."""
        return {"here": question()}

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result | Failure]]:
        """Do them in their order."""
        for item in items:
            try:
                result: Result | Failure = function(item)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is one item's
                result = _failure(error)
            yield item, result


@contextmanager
def open_workers(jobs: int | None, scheduler: str | None) -> Iterator[Workers]:
    """Yield who works: this process for one job, else as many processes or those of a cluster.

    Args:
        jobs: Processes on this machine; None for one on each core.
        scheduler: Address of a Dask scheduler; None for none.

    Raises:
        CommandError: Dask is not installed, or nobody answers at the address.
        UsageError: The address is none.
    """
    count = jobs or len(os.sched_getaffinity(0))
    if scheduler is None and count == 1:
        yield InProcess()
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise CommandError(
            "several processes need dask's distributed; install it with: pip install '.[archive]' in Pantel's folder, "
            "or work in one with --jobs 1"
        ) from error
    _hush()
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=_CONNECT_S)
        except ValueError as error:
            raise UsageError(f"{scheduler} is no address of a Dask scheduler; write it as tcp://host:8786") from error
        except OSError as error:
            raise CommandError(
                f"no Dask scheduler answers at {scheduler}; start one with: dask scheduler, or leave out --scheduler"
            ) from error
        with client:
            yield _Cluster(client, scheduler)
        return
    with (
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            dashboard_address=_OWN_PORT,
            memory_limit=0,
            preload=[_IN_WORKERS],
            env={"DASK_LOGGING__DISTRIBUTED": "critical"},
        ) as cluster,
        Client(cluster) as client,
    ):
        yield _Cluster(client, f"{count} processes")


class _Cluster:
    """The workers of a Dask scheduler."""

    def __init__(self, client: Client, description: str) -> None:
        self.description = description
        self._client = client
        self._waiting = False

    def ask_each(self, question: Callable[[], Result]) -> dict[str, Result]:
        if not self._client.nthreads():
            raise CommandError(f"the Dask scheduler {self.description} has no workers; start some: dask worker ADDRESS")
        try:
            answers: dict[str, Result] = self._client.run(question)
        except Exception as error:
            raise CommandError(
                f"a worker of {self.description} cannot do this work ({_reason(error)}); install the same version of "
                "Pantel on all of them: pip install '.[archive]' in Pantel's folder"
            ) from error
        return answers

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result | Failure]]:
        from distributed.comm import CommClosedError

        coming = iter(items)
        under_way: dict[Future, Item] = {}
        try:
            window = self._window()
            while True:
                while len(under_way) < window and (item := next(coming, None)) is not None:
                    under_way[self._client.submit(function, item, pure=False)] = item
                if not under_way:
                    return
                finished = [each for future in self._finished(under_way) for each in self._results(future)]
                if not finished:
                    window = self._window()
                for future, result in finished:
                    yield under_way.pop(future), result
        except (CancelledError, CommClosedError) as error:
            raise CommandError(f"the Dask scheduler {self.description} is gone; run the same again to go on") from error
        finally:
            self._client.cancel(list(under_way))

    def _window(self) -> int:
        """Return how many tasks may be under way; there may be more workers than before, or none."""
        cores: int = sum(self._client.nthreads().values())
        if not cores and not self._waiting:
            log.warning("there are no workers, waiting for some scheduler=%s", self.description)
        self._waiting = not cores
        return _WINDOW_PER_CORE * max(cores, 1)

    def _finished(self, futures: Iterable[Future]) -> list[Future]:
        """Return what is done, once something is or some time has passed."""
        from distributed import wait

        with suppress(TimeoutError):
            wait(list(futures), timeout=_LOOK_S, return_when="FIRST_COMPLETED")
        return [future for future in futures if future.done()]

    def _results(self, future: Future) -> Iterator[tuple[Future, Any]]:
        """Yield the result of what is done, or nothing if the worker that held it has died: it is done again."""
        with suppress(TimeoutError):
            if future.status == "error":
                yield future, _failure(future.exception(timeout=_LOOK_S))
            elif future.done():
                yield future, future.result(timeout=_LOOK_S)


def _hush() -> None:
    """Let Dask say nothing in this process: what matters is told in a line of ours."""
    for name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _failure(error: BaseException) -> Failure:
    failure = Failure(_reason(error))
    failure.__cause__ = error
    return failure


def _reason(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
