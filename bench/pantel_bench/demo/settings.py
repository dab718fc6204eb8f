"""What a demo is asked to do, and the rules by which it is scored."""

from __future__ import annotations

from dataclasses import dataclass

from pantel_device.receiver import PLAYOUT_DELAY_NS
from pantel_link import PLACEHOLDER_CALLSIGN, Preset

__all__ = [
    "DISPLAY_INTERVAL_NS",
    "PLAYOUT_DELAY_NS",
    "RECEIVER_COMPUTING_NS",
    "SENDER_COMPUTING_NS",
    "DemoSettings",
]

DISPLAY_INTERVAL_NS = 100_000_000
# Charged on the virtual clock, which would otherwise make every machine infinitely fast.
SENDER_COMPUTING_NS = 150_000_000  # from a frame's capture to the earliest payload that describes it
RECEIVER_COMPUTING_NS = 50_000_000  # from the decision to draw a picture until it is on show


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """One demo run.

    Attributes:
        camera: A camera that gives the same pictures whenever it is opened: ``test``, ``file:PATH``.
        seconds: Line time [s].
        size_px: Width and height of the picture [px].
        fps: Frames captured per second.
        bitrate_bps: Rate of the line, octets per second times 8.
        preset: Error protection.
        bit_error_rate: Of the simulated line.
        loss: Share of packets that the simulated line hits with a drop-out.
        seed: Of the simulated line's errors.
        masked: Whether the region of interest is favoured.
        real_time: Whether sender and receiver are processes on the real clock.
        port: A port whose output returns to its input, for a real-time run; None for the simulated line.
        callsign: Of the sender; a port that leads out of this machine needs a real one.
    """

    camera: str = "test"
    seconds: float = 30.0
    size_px: tuple[int, int] = (320, 240)
    fps: float = 10.0
    bitrate_bps: int = 960
    preset: Preset = Preset.STANDARD
    bit_error_rate: float = 0.0
    loss: float = 0.0
    seed: int = 0
    masked: bool = True
    real_time: bool = False
    port: str | None = None
    callsign: str = PLACEHOLDER_CALLSIGN

    @property
    def instants(self) -> int:
        """Number of display instants, the first at the capture of the first frame."""
        return round(self.seconds * 1e9) // DISPLAY_INTERVAL_NS
