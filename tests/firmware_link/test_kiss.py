"""KISS framing: pinned by golden octets, and by what it does with noise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link.ports.kiss import KissCommand, KissDecoder, KissFrame

FRAMES = st.builds(KissFrame, st.integers(0, 15), st.binary(max_size=80), st.integers(0, 15))


def decoded(decoder: KissDecoder, octets: bytes) -> list[KissFrame]:
    decoder.push(octets)
    frames = []
    while (frame := decoder.pop()) is not None:
        frames.append(frame)
    return frames


@pytest.mark.parametrize(
    ("frame", "golden"),
    [
        (KissFrame(KissCommand.DATA, b"TEST"), "c00054455354c0"),
        (KissFrame(KissCommand.DATA, b"Hello", port=5), "c05048656c6c6fc0"),
        (KissFrame(KissCommand.DATA, b"\xc0\xdb"), "c000dbdcdbddc0"),
        (KissFrame(KissCommand.DATA, b"\xdc\xdd"), "c000dcddc0"),
        (KissFrame(KissCommand.TXDELAY, b"\x1e"), "c0011ec0"),
        (KissFrame(KissCommand.DATA, b"x", port=12), "c0dbdc78c0"),  # a command octet that looks like FEND
        (KissFrame(KissCommand.DATA, b""), "c000c0"),
    ],
)
def test_golden_frames(frame: KissFrame, golden: str) -> None:
    assert frame.to_bytes().hex() == golden
    assert decoded(KissDecoder(256), bytes.fromhex(golden)) == [frame]


@given(st.lists(FRAMES, max_size=6), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_frames_arrive_in_pieces_of_any_size(frames: list[KissFrame], sizes: list[int]) -> None:
    line = b"".join(frame.to_bytes() for frame in frames)
    decoder = KissDecoder(80)
    arrived = []
    while line:
        for size in sizes:
            arrived += decoded(decoder, line[:size])
            line = line[size:]
    assert arrived == frames
    assert decoder.bad_frames == 0


@given(st.binary(max_size=300), FRAMES)
def test_noise_is_passed_over_and_hides_no_later_frame(noise: bytes, frame: KissFrame) -> None:
    decoder = KissDecoder(80)
    for found in decoded(decoder, noise):
        assert len(found.octets) <= 80
    assert decoded(decoder, b"\xc0" + frame.to_bytes())[-1] == frame


def test_what_precedes_the_first_mark_is_no_frame() -> None:
    decoder = KissDecoder(80)
    assert decoded(decoder, b"TNC ready\r\n\xdbcmd:" + KissFrame(0, b"x").to_bytes()) == [KissFrame(0, b"x")]
    assert decoder.bad_frames == 0


def test_frames_may_share_their_mark_and_marks_may_repeat() -> None:
    assert decoded(KissDecoder(80), b"\xc0\xc0\xc0\x00a\xc0\x00b\xc0\xc0") == [KissFrame(0, b"a"), KissFrame(0, b"b")]


@pytest.mark.parametrize("damaged", [b"\xc0\x00a\xdbb", b"\xc0\x00a\xdb", b"\xc0\x00" + bytes(81), b"\xc0\xdb\x00"])
def test_a_damaged_frame_is_counted_once(damaged: bytes) -> None:
    decoder = KissDecoder(80)
    assert decoded(decoder, damaged + b"\xc0\x00good\xc0") == [KissFrame(0, b"good")]
    assert decoder.bad_frames == 1


def test_the_longest_frame_is_believed() -> None:
    decoder = KissDecoder(80)
    frame = KissFrame(0, b"\xc0" * 80)
    assert decoded(decoder, frame.to_bytes()) == [frame]


def test_a_babbling_line_fills_no_memory() -> None:
    decoder = KissDecoder(80)
    decoder.push(b"\xc0")
    for _ in range(100):
        decoder.push(bytes(1000))
        assert len(decoder._body) <= 81
    assert decoder.bad_frames == 1
