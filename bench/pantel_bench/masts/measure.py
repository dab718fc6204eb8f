"""Runs many masts into one receiver."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pantel_bench.masts.air import OnAir, send_all
from pantel_bench.masts.receiving import Received, receive_tape
from pantel_bench.masts.scenes import encode_scene
from pantel_bench.masts.settings import MastsSettings

__all__ = ["MastsResult", "measure_masts"]


@dataclass(frozen=True, slots=True, eq=False)
class MastsResult:
    """What was sent, and what became of it.

    Attributes:
        packets_sent: By all masts.
        octets_sent: By all masts.
        received: What the receiver has measured.
    """

    packets_sent: int
    octets_sent: int
    received: Received

    @property
    def packets_dropped(self) -> int:
        """Packets that reached a port and were not delivered."""
        return self.packets_sent - self.received.packets


def measure_masts(settings: MastsSettings, done: Callable[[str], None]) -> MastsResult:
    """Encode the scenes, let all masts send them, and have a process of its own receive what arrives.

    Args:
        settings: Of the run.
        done: Told of each step; there are as many as scenes, and two.

    Raises:
        ManifestError: The model is damaged.
    """
    scenes = []
    for seed in range(settings.scenes):
        scenes.append(encode_scene(seed, min(settings.scene_s, settings.seconds), settings.bitrate_bps))
        done(f"scene {seed}")
    on_air = send_all(settings, scenes)
    done("masts")
    received = _receive(on_air, settings)
    done("receiver")
    return MastsResult(on_air.packets, on_air.octets, received)


def _receive(on_air: OnAir, settings: MastsSettings) -> Received:
    """Receive in a new process, so that its memory is the receiver's alone."""
    with TemporaryDirectory(prefix="pantel-masts-") as folder:
        path = Path(folder) / "tape.npz"
        on_air.tape.save(path)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            return pool.submit(receive_tape, path, settings).result()
