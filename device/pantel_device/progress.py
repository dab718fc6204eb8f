"""Progress of long work: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from pantel_device.printable import printable

__all__ = ["progress"]


@contextmanager
def progress(total: int, work: str, *, every_s: float = 0.0) -> Iterator[Callable[[str], None]]:
    """Show on standard error how far the work is.

    Names may hold what no terminal should be sent: it is written as numbers.

    Args:
        total: Number of steps.
        work: What is being done.
        every_s: Shortest time between two lines in a log; the last step always gets one [s].

    Yields:
        A function to call after each step with the name of what has been done.
    """
    if sys.stderr.isatty():
        with tqdm(total=total, desc=printable(work), unit="step") as bar:

            def advance_bar(done: str) -> None:
                bar.set_postfix_str(printable(done), refresh=False)
                bar.update()

            yield advance_bar
        return

    count = 0
    written_s = time.monotonic()

    def write_line(done: str) -> None:
        nonlocal count, written_s
        count += 1
        if count < total and time.monotonic() - written_s < every_s:
            return
        written_s = time.monotonic()
        sys.stderr.write(printable(f"{work}: {count}/{total} {done}") + "\n")
        sys.stderr.flush()

    yield write_line
