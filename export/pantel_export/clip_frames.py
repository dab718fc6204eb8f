"""Pictures out of video clips."""

from __future__ import annotations

from pathlib import Path

import cv2

from pantel_export.errors import DataError

__all__ = ["write_frames"]

_QUALITY = 95  # of JPEG


def write_frames(clip: Path, folder: Path, *, every_s: float) -> int:
    """Write pictures of a clip as JPEG files, the first one and then one at even intervals.

    Args:
        clip: Video file.
        folder: For the pictures, named after the clip and the number of the frame; made if it is missing.
        every_s: Interval [s].

    Returns:
        How many there are.

    Raises:
        DataError: The clip cannot be read.
    """
    video = cv2.VideoCapture(str(clip))
    fps = video.get(cv2.CAP_PROP_FPS)
    if not video.isOpened() or fps <= 0:
        raise DataError(f"the clip {clip} cannot be read; name video files with --clips")
    folder.mkdir(parents=True, exist_ok=True)
    step = max(round(fps * every_s), 1)
    frame, count = 0, 0
    while video.grab():
        if frame % step == 0:
            read, picture = video.retrieve()
            if read:
                path = folder / f"{clip.stem}_{frame:06d}.jpg"
                cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
                count += 1
        frame += 1
    return count
