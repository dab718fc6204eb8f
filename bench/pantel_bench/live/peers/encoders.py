"""The video encoders, and which of their settings are tried.

Quality is the quantizer of a P frame in H.264 and HEVC, whose rate control by quality would take back what a rich key
frame costs; it is the CRF of SVT-AV1 and VP9. Larger is coarser. All run on one thread, so that the same pictures give
the same octets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["VIDEO_ENCODERS", "Knobs", "VideoEncoder"]

Knobs = Mapping[str, float]
"""Settings of an encoder by the names that its own documentation gives them."""


@dataclass(frozen=True, slots=True)
class VideoEncoder:
    """An encoder of ffmpeg.

    Attributes:
        name: As in reports.
        ffmpeg_name: As ffmpeg calls it.
        codec: A key of `SLICE_COUNTERS`.
        options: Makes ffmpeg's options of a setting and a quality.
        qualities: From fine to coarse.
        look_ahead: What may be tried for each knob where delay is free; begins with a good value.
        low_delay: The same without reordering and look-ahead.
        least_side_px: Smaller pictures are refused.
        blurs_px: Blurs to try before the picture is made smaller. An encoder whose coarsest quality is still too fine
            for the line gains by one.
    """

    name: str
    ffmpeg_name: str
    codec: str
    options: Callable[[Knobs, int], Sequence[str]]
    qualities: range
    look_ahead: Mapping[str, Sequence[float]]
    low_delay: Mapping[str, Sequence[float]]
    least_side_px: int = 16
    blurs_px: Sequence[float] = (0.0,)


def _joined(knobs: Knobs) -> str:
    return "".join(f":{name}={value:g}" for name, value in knobs.items())


def _x264(knobs: Knobs, quality: int) -> Sequence[str]:
    settings = f"qp={quality}:keyint=infinite:scenecut=0:threads=1{_joined(knobs)}"
    return ["-c:v", "libx264", "-preset", "veryslow", "-tune", "psnr", "-x264-params", settings]


def _x265(knobs: Knobs, quality: int) -> Sequence[str]:
    settings = f"qp={quality}:keyint=-1:scenecut=0:pools=1:frame-threads=1:log-level=none{_joined(knobs)}"
    return ["-c:v", "libx265", "-preset", "slow", "-tune", "psnr", "-x265-params", settings]


def _svt_av1(knobs: Knobs, quality: int) -> Sequence[str]:
    settings = {name: value for name, value in knobs.items() if name != "preset"}
    return [
        *("-c:v", "libsvtav1", "-preset", f"{knobs['preset']:g}", "-crf", str(quality), "-g", "9999"),
        *("-svtav1-params", f"lp=1{_joined(settings)}"),
    ]


def _vp9(knobs: Knobs, quality: int) -> Sequence[str]:
    return [
        *("-c:v", "libvpx-vp9", "-crf", str(quality), "-b:v", "0", "-deadline", "good", "-g", "9999"),
        *("-threads", "1", "-row-mt", "0"),
        *(part for name, value in knobs.items() for part in (f"-{name}", f"{value:g}")),
    ]


_X26X_LOW_DELAY = {"ipratio": (2,), "bframes": (0,), "rc-lookahead": (0,)}
_BLURS_PX = (0.0, 1.2)

VIDEO_ENCODERS = (
    VideoEncoder(
        name="x264",
        ffmpeg_name="libx264",
        codec="h264",
        options=_x264,
        qualities=range(20, 52),
        look_ahead={"ipratio": (6, 4, 8, 12, 20), "pbratio": (2, 1.3, 4), "bframes": (8, 3)},
        low_delay=_X26X_LOW_DELAY,
    ),
    VideoEncoder(
        name="x265",
        ffmpeg_name="libx265",
        codec="hevc",
        options=_x265,
        qualities=range(20, 52),
        look_ahead={"ipratio": (6, 4, 8, 12, 20), "pbratio": (2, 1.3, 4), "bframes": (8, 3)},
        low_delay=_X26X_LOW_DELAY,
    ),
    VideoEncoder(
        name="svt-av1",
        ffmpeg_name="libsvtav1",
        codec="av1",
        options=_svt_av1,
        qualities=range(20, 64),
        look_ahead={"aq-mode": (0, 2), "hierarchical-levels": (4, 5), "preset": (6, 4)},
        low_delay={"preset": (8,), "pred-struct": (1,)},
        least_side_px=64,
        blurs_px=_BLURS_PX,
    ),
    VideoEncoder(
        name="vp9",
        ffmpeg_name="libvpx-vp9",
        codec="vp9",
        options=_vp9,
        qualities=range(20, 64),
        look_ahead={"lag-in-frames": (25,), "auto-alt-ref": (1,), "cpu-used": (1, 0)},
        low_delay={"lag-in-frames": (0,), "auto-alt-ref": (0,), "cpu-used": (2,)},
        blurs_px=_BLURS_PX,
    ),
)
