"""Files as cameras: clips that play by their time stamps, pictures as still scenes, folders of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol, cast, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from pantel_device.cameras.base import SampledCamera
from pantel_device.cameras.geometry import STRETCHED, Geometry
from pantel_device.errors import CameraError, CameraNameError, PictureError
from pantel_device.pictures import read_picture

__all__ = ["FileCamera", "Loop"]

Loop = Literal["pingpong", "once"]


class _Recording(Protocol):
    """Pictures on a time line that starts at 0.

    Attributes:
        last_ns: When the last picture begins; None while that is not known.
    """

    last_ns: int | None

    def picture_at(self, time_ns: int) -> NDArray[np.uint8]:
        """Return the picture on show at a time (the last one after the end)."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class FileCamera(SampledCamera):
    """Plays a video clip, a single picture or a folder of pictures.

    A clip shows at every capture instant the last of its frames whose time stamp has come. A picture is a
    scene in which nothing moves. A folder shows its pictures in the order of their names, one an instant.
    Everything is turned, cut and scaled to the camera's size.
    """

    def __init__(
        self,
        path: Path,
        size_px: tuple[int, int],
        fps: float,
        *,
        loop: Loop = "pingpong",
        geometry: Geometry = STRETCHED,
    ) -> None:
        """Open a file or folder.

        Args:
            path: Clip, picture or folder of pictures.
            size_px: Width and height of the frames [px].
            fps: Capture instants per second.
            loop: What follows the end of a clip or folder: "pingpong" plays it backwards, forwards and so on;
                "once" ends it. A single picture never ends.
            geometry: How pictures are turned, cut and scaled.

        Raises:
            CameraNameError: The path is missing or holds nothing that can be shown.
        """
        super().__init__(size_px, fps)
        self._loop = loop
        try:
            self._recording = _open_recording(path, size_px, fps, geometry)
        except CameraError as error:
            raise CameraNameError(str(error)) from error

    @classmethod
    def from_argument(
        cls, argument: str, size_px: tuple[int, int], fps: float, geometry: Geometry = STRETCHED
    ) -> FileCamera:
        """Open ``PATH`` or ``PATH?loop=once``.

        Raises:
            CameraNameError: As for the constructor, and for an unknown ``loop``.
        """
        path, separator, loop = argument.rpartition("?loop=")
        if not separator:
            path, loop = argument, "pingpong"
        if loop not in get_args(Loop):
            raise CameraNameError(f"loop={loop} is unknown; choose one of {', '.join(get_args(Loop))}")
        if not path:
            raise CameraNameError("the camera file: lacks its path; write for example file:walk.mp4")
        return cls(Path(path), size_px, fps, loop=cast(Loop, loop), geometry=geometry)

    def close(self) -> None:
        """Close the file; no frame comes after this."""
        super().close()
        self._recording.close()

    def _picture(self, index: int) -> NDArray[np.uint8] | None:
        time_ns = self._elapsed_ns(index)
        recording = self._recording
        if recording.last_ns is None:
            pixels = recording.picture_at(time_ns)
            if recording.last_ns is None or time_ns <= recording.last_ns:
                return pixels
        if self._loop == "once" and time_ns > recording.last_ns > 0:
            return None
        return recording.picture_at(_there_and_back(time_ns, recording.last_ns))


class _Pictures:
    """Picture files as a recording, one for each capture instant."""

    def __init__(self, paths: list[Path], size_px: tuple[int, int], fps: float, geometry: Geometry) -> None:
        self._paths = paths
        self._size_px = size_px
        self._geometry = geometry
        self._fps = fps
        self._shown = paths[0]
        self._pixels = self._read(paths[0])
        self.last_ns: int | None = round((len(paths) - 1) * 1e9 / fps)

    def picture_at(self, time_ns: int) -> NDArray[np.uint8]:
        """Return the picture of the instant nearest to a time."""
        path = self._paths[min(round(time_ns * self._fps / 1e9), len(self._paths) - 1)]
        if path != self._shown:
            self._pixels = self._read(path)
            self._shown = path
        return self._pixels

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _read(self, path: Path) -> NDArray[np.uint8]:
        try:
            return self._geometry.fit(read_picture(path), self._size_px)
        except PictureError as error:
            raise CameraError(str(error)) from error


def _open_recording(path: Path, size_px: tuple[int, int], fps: float, geometry: Geometry) -> _Recording:
    if not path.exists():
        raise CameraError(f"{path} does not exist; name a clip, a picture or a folder of pictures")
    if path.is_dir():
        paths = sorted(p for p in path.iterdir() if p.is_file() and _is_picture(p))
        if not paths:
            raise CameraError(f"the folder {path} holds no pictures; put some there or name another folder")
        return _Pictures(paths, size_px, fps, geometry)
    if _is_picture(path):
        return _Pictures([path], size_px, fps, geometry)
    from pantel_device.cameras.clip import Clip

    return Clip(path, size_px, geometry)


def _is_picture(path: Path) -> bool:
    """Tell by the signature of a file; a GIF is a clip, of which OpenCV would show only the beginning."""
    return path.suffix.lower() != ".gif" and bool(cv2.haveImageReader(str(path)))


def _there_and_back(time_ns: int, last_ns: int) -> int:
    """Map a time without end onto 0..last_ns, forwards and backwards in turn."""
    if last_ns == 0:
        return 0
    phase_ns = time_ns % (2 * last_ns)
    return min(phase_ns, 2 * last_ns - phase_ns)
