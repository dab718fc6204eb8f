"""A program that takes a picture with a camera and says as JSON what it is like: run by the doctor, who outlives it.

A camera's driver may hang or crash, which must end no more than this process.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import closing

from pantel_device.cameras import open_camera
from pantel_device.cameras.live import LiveCamera
from pantel_device.errors import CameraError
from pantel_link import PluginError

__all__ = ["main"]

_SETTLING_S = 0.7  # until exposure and white balance have found their way
_INTERVAL_S = 0.02
_FPS = 10.0


def main(argv: Sequence[str]) -> None:
    """Write a JSON object: ``error``, or ``description``, ``level`` and ``contrast`` of a picture [grey levels].

    Args:
        argv: Name of the camera, width and height of the picture wanted [px].
    """
    name, width, height = argv
    try:
        answer = _look(name, (int(width), int(height)))
    except (CameraError, PluginError) as error:
        answer = {"error": str(error)}
    sys.stdout.write(f"{json.dumps(answer)}\n")


def _look(name: str, size_px: tuple[int, int]) -> dict[str, object]:
    with closing(open_camera(name, size_px, _FPS)) as camera:
        started_s = time.monotonic()
        newest = None
        while newest is None or time.monotonic() - started_s < _SETTLING_S:
            newest = camera.capture(time.monotonic_ns()) or newest
            time.sleep(_INTERVAL_S)
        return {
            "description": camera.description if isinstance(camera, LiveCamera) else "",
            "level": float(newest.pixels.mean()),
            "contrast": float(newest.pixels.std()),
        }


if __name__ == "__main__":
    main(sys.argv[1:])
