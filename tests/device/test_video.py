"""Videos in fragments: what was returned plays, with the times that were given, wherever it ends."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_device.errors import VideoError
from pantel_device.video import FragmentedVideo

_SIZE_PX = (64, 48)


def _picture(level: int) -> NDArray[np.uint8]:
    return np.full((*_SIZE_PX[::-1], 3), level, np.uint8)


def _times_ms(octets: bytes) -> list[int]:
    with av.open(io.BytesIO(octets), "r") as container:
        return [round(float(frame.time or 0) * 1000) for frame in container.decode(video=0)]


def test_a_fragment_comes_every_so_often_and_all_that_came_plays() -> None:
    video = FragmentedVideo(_SIZE_PX, Fraction(10), 1000)
    octets, came = video.head, 0
    for number in range(50):
        fragment = video.add(_picture(number), 100 * number)
        octets += fragment
        if fragment:
            assert fragment[4:8] == b"moof"
            came += 1
            assert _times_ms(octets) == list(range(0, 1000 * came, 100))
    assert came == 3  # ten pictures of the fourth are in the encoder, which looks ahead
    octets += video.end()
    assert _times_ms(octets) == list(range(0, 5000, 100))
    assert octets[-12:-8] == b"mfro"


def test_pictures_keep_their_times_and_their_colours() -> None:
    video = FragmentedVideo(_SIZE_PX, Fraction(2), 5000)
    times_ms = [0, 1, 40, 1540, 8000, 8007]
    octets = video.head
    for time_ms in times_ms:
        octets += video.add(np.full((*_SIZE_PX[::-1], 3), (200, 60, 30), np.uint8), time_ms)
    octets += video.end()
    assert _times_ms(octets) == times_ms
    with av.open(io.BytesIO(octets), "r") as container:
        frame = next(container.decode(video=0))
        assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - (200, 60, 30)).max() <= 6
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_range) == (6, 1)


def test_a_still_scene_takes_next_to_nothing() -> None:
    video = FragmentedVideo(_SIZE_PX, Fraction(10), 5000)
    octets = video.head + b"".join(video.add(_picture(90), 100 * number) for number in range(600)) + video.end()
    assert len(_times_ms(octets)) == 600
    assert len(octets) < 60 * 400


def test_a_size_that_cannot_be_encoded_is_one_error() -> None:
    with pytest.raises(VideoError, match="cannot write the video"):
        FragmentedVideo((63, 47), Fraction(10), 5000)
