"""What any run of the rig yields: pictures on show, and at the end what its two ends have measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pantel_bench.rig.ends import ReceiverFigures, SenderFigures
from pantel_bench.rig.settings import RigSettings
from pantel_device.rendering.renderer import ShownObject
from pantel_link import ChannelSettings

__all__ = ["Findings", "RigRun", "Showing", "channel_settings"]


@dataclass(frozen=True, slots=True, eq=False)
class Showing:
    """What is on show at a display instant.

    Attributes:
        time_ns: Time since the capture of the first frame.
        pixels: (H, W, 3) uint8, RGB; None before the first picture.
        objects: The sprites in it, as far as the run knows them.
    """

    time_ns: int
    pixels: NDArray[np.uint8] | None
    objects: tuple[ShownObject, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What both ends have measured."""

    sender: SenderFigures
    receiver: ReceiverFigures


class RigRun(Protocol):
    """A run, in whatever time."""

    def showings(self) -> Iterator[Showing]:
        """Yield what is on show at each display instant."""
        ...

    def findings(self) -> Findings:
        """Return what both ends have measured, once all showings have been taken."""
        ...

    def close(self) -> None:
        """Release what the run holds."""
        ...


def channel_settings(settings: RigSettings) -> ChannelSettings:
    """Return how bad the simulated line is, in each direction."""
    return ChannelSettings(
        bitrate_bps=settings.bitrate_bps,
        bit_error_rate=settings.bit_error_rate,
        loss=settings.loss,
        seed=settings.seed,
    )
