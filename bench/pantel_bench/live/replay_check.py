"""Replays a capture in a new process: it can know nothing but what came through the line."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from pantel_bench.errors import ReplayError
from pantel_bench.rig.memory import max_rss_mib
from pantel_device.pictures import picture_hash
from pantel_device.receiving.replay import replay
from pantel_device.receiving.sink import Event, Picture
from pantel_link.captures import read_capture

__all__ = ["PictureHashes", "Replayed", "replay_in_new_process"]

_END_TIMEOUT_S = 15.0


class PictureHashes:
    """A sink that keeps the hash of every picture.

    Attributes:
        by_time: Hashes by the time for which the picture was drawn [ns].
    """

    def __init__(self) -> None:
        self.by_time: dict[int, str] = {}

    def on_picture(self, picture: Picture) -> None:
        """Keep the hash of a picture."""
        self.by_time[picture.time_ns] = picture_hash(picture.pixels)

    def on_event(self, event: Event) -> None:
        """Ignore events."""

    def close(self) -> None:
        """Hold nothing."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a process that did nothing but receive has to say.

    Attributes:
        hashes: Of its pictures, by time [ns].
        max_rss_mib: Most memory that it held; None where the system does not tell.
    """

    hashes: dict[int, str]
    max_rss_mib: float | None


def replay_in_new_process(capture: Path) -> Replayed:
    """Replay a capture of one run.

    Raises:
        ReplayError: The process failed.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_replay, name="pantel replay", args=(capture, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        answer = ours.recv()
    except EOFError as error:
        raise ReplayError("the process that replays the capture ended without a word") from error
    finally:
        ours.close()
        process.join(_END_TIMEOUT_S)
    if not isinstance(answer, Replayed):
        raise ReplayError(f"the process that replays the capture failed: {answer}")
    return answer


def _replay(capture: Path, connection: Connection) -> None:
    """Be that process: answer with `Replayed`, or with a line that says what went wrong."""
    hashes = PictureHashes()
    try:
        for _ in replay(read_capture(capture), [hashes]):
            pass
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent tells it
        connection.send(f"{type(error).__name__}: {error}")
    else:
        connection.send(Replayed(hashes.by_time, max_rss_mib()))
