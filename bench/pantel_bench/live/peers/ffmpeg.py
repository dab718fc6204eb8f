"""The one module that knows the program ffmpeg, which brings the encoders (Debian's package ffmpeg)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pantel_bench.errors import PeerError

__all__ = ["Ffmpeg"]

_LONGEST_S = 600.0
_INSTALL = "install Debian's package ffmpeg, or leave --peers away"


class Ffmpeg:
    """The program ffmpeg.

    Args:
        program: Path of the program.

    Raises:
        PeerError: It does not run.
    """

    def __init__(self, program: Path) -> None:
        self._program = program
        listing = self._run(["-encoders"], b"").decode("utf-8", "replace")
        # Lines read " V....D libx264  libx264 H.264 / AVC"; the flags of an encoder have six letters.
        words = [line.split() for line in listing.splitlines()]
        self._encoders = frozenset(line[1] for line in words if len(line) > 1 and len(line[0]) == 6)

    @classmethod
    def find(cls) -> Ffmpeg:
        """Return the one on the search path.

        Raises:
            PeerError: There is none, or it does not run.
        """
        program = shutil.which("ffmpeg")
        if program is None:
            raise PeerError(f"the video peers need the program ffmpeg; {_INSTALL}")
        return cls(Path(program))

    def require(self, encoders: Iterable[str]) -> None:
        """Make sure that encoders are there.

        Raises:
            PeerError: One is missing.
        """
        missing = sorted(set(encoders) - self._encoders)
        if missing:
            raise PeerError(f"{self._program} has no encoder {', '.join(missing)}; {_INSTALL}")

    def encode(self, planes: Sequence[NDArray[np.uint8]], fps: float, options: Sequence[str]) -> bytes:
        """Encode pictures and return the stream in a NUT container.

        Args:
            planes: Each (3h/2, w) uint8, ``yuv420p``.
            fps: Pictures per second.
            options: The encoder and its settings.

        Raises:
            PeerError: The encoder fails.
        """
        height, width = planes[0].shape[0] * 2 // 3, planes[0].shape[1]
        source = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-r", f"{fps:g}", "-i", "pipe:0"]
        return self._run([*source, *options, "-f", "nut", "pipe:1"], np.stack(planes).tobytes())

    def _run(self, arguments: Sequence[str], data: bytes) -> bytes:
        command = [str(self._program), "-hide_banner", "-nostdin", "-loglevel", "error", *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - a list, no shell; nothing in it comes from outside
                command, input=data, capture_output=True, check=False, timeout=_LONGEST_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PeerError(f"{self._program} does not run ({error}); {_INSTALL}") from error
        if done.returncode != 0:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise PeerError(f"{self._program} failed: {lines[-1] if lines else 'without a word'}")
        return done.stdout
