"""What a run of the rig is asked to do, and the rules by which it is scored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pantel_device.receiving.receiver import PLAYOUT_DELAY_NS
from pantel_device.scene_encoding.audience import ASSUMED_LOSS
from pantel_link import DEFAULT_CALLSIGN, Preset

__all__ = [
    "DISPLAY_INTERVAL_NS",
    "PICTURE_PX",
    "PLAYOUT_DELAY_NS",
    "RECEIVER_COMPUTING_NS",
    "RECEIVER_DELAY_NS",
    "SENDER_COMPUTING_NS",
    "Channel",
    "RigSettings",
    "detector_name",
]

PICTURE_PX = (320, 240)
"""Width and height of the pictures of benchmarks, if nothing else is said."""

DISPLAY_INTERVAL_NS = 100_000_000
# Charged on the virtual clock, which would otherwise make every machine infinitely fast.
SENDER_COMPUTING_NS = 150_000_000  # from a frame's capture to the earliest payload that describes it
RECEIVER_COMPUTING_NS = 50_000_000  # from the decision to draw a picture until it is on show
_STAMP_LAG_NS = 30_000_000  # by which a receiver finds packets to have left late: both ends ask their port now and then
# What is drawn at one display instant is ready for the next, so the receiver draws what that one shall show.
RECEIVER_DELAY_NS = PLAYOUT_DELAY_NS - DISPLAY_INTERVAL_NS - _STAMP_LAG_NS


def detector_name(detector: str) -> str | None:
    """Return a detector's name for a report: its file's, or `default`; None where motion alone decides."""
    return None if detector in {"", "none"} else Path(detector).name


@dataclass(frozen=True, slots=True)
class Channel:
    """The simulated line's faults, beside its rate.

    Attributes:
        bit_error_rate: Probability that a bit was inverted.
        loss: Probability that a packet was hit by a drop-out.
        seed: Of everything random.
    """

    bit_error_rate: float
    loss: float
    seed: int


@dataclass(frozen=True, slots=True)
class RigSettings:
    """One run.

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
        assumed_loss: Share of packets that the sender expects to be lost.
        masked: Whether the region of interest is favoured.
        sketch: Whether nothing but contours is sent.
        playout_delay_ns: From capture to show; slow lines need more than others.
        detector: Of the sender: ONNX file, `default` for the bundled one, "" for motion alone.
        detect_every: Frames from one run of the detector to the next.
        edge_model: Of a sketch, a structured forest; "" for Canny.
        acknowledge_s: Time between two acknowledgements that come back over the line [s]; 0 for no back-channel.
        real_time: Whether sender and receiver are processes on the real clock.
        port: A port whose output returns to its input, for a real-time run; None for the simulated line.
        callsign: Of the sender; a port that leads out of this machine needs a real one.
    """

    camera: str = "test"
    seconds: float = 30.0
    size_px: tuple[int, int] = PICTURE_PX
    fps: float = 10.0
    bitrate_bps: int = 960
    preset: Preset = Preset.STANDARD
    bit_error_rate: float = 0.0
    loss: float = 0.0
    seed: int = 0
    assumed_loss: float = ASSUMED_LOSS
    masked: bool = True
    sketch: bool = False
    playout_delay_ns: int = PLAYOUT_DELAY_NS
    detector: str = ""
    detect_every: int = 5
    edge_model: str = ""
    acknowledge_s: float = 0.0
    real_time: bool = False
    port: str | None = None
    callsign: str = DEFAULT_CALLSIGN

    @property
    def instants(self) -> int:
        """Number of display instants, the first at the capture of the first frame."""
        return round(self.seconds * 1e9) // DISPLAY_INTERVAL_NS

    @property
    def receiver_delay_ns(self) -> int:
        """Play-out delay that the receiver is set to; `RECEIVER_DELAY_NS` for the usual one."""
        return RECEIVER_DELAY_NS + self.playout_delay_ns - PLAYOUT_DELAY_NS

    @property
    def playout_delay_s(self) -> float:
        """From capture to show [s]."""
        return self.playout_delay_ns / 1e9

    @property
    def channel(self) -> Channel:
        """The faults of the simulated line."""
        return Channel(self.bit_error_rate, self.loss, self.seed)
