"""Stills on their way out: a picture in full quality now and then, beside the scene."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pantel_device.frame import Frame
from pantel_device.sending.airtime import News
from pantel_link import LengthClass, PacketKind
from pantel_link.back_channel import AskStill, Region
from pantel_link.stills import StillBlock
from pantel_link.stills.block import file_bytes, repairs_needed, symbols_of
from pantel_link.stills.erasure import MAX_CONTENT_SYMBOLS
from pantel_link.traffic import TrafficClass
from pantel_models import ModelError, StillCodec, region_importance

__all__ = ["StillSender"]

log = logging.getLogger(__name__)


class StillSender:
    """Encodes the newest frame when a still is due or asked for, and sends it in symbols.

    Content and as many repair symbols as make 99 of 100 stills arrive are news; after that there is more repair for as
    long as nobody else needs the air.

    Args:
        codec: Of stills.
        payload_octets: Of a still packet, asked anew for each still.
        still_bytes: Size of the file, filled up to whole symbols.
        interval_ns: Time between two stills; None for only those that are asked for.
        loss: Share of packets that is expected to be lost.
        utc_s: Tells UTC; None while unknown.
    """

    def __init__(
        self,
        codec: StillCodec,
        payload_octets: Callable[[], int],
        *,
        still_bytes: int,
        interval_ns: int | None,
        loss: float,
        utc_s: Callable[[], int | None],
    ) -> None:
        self._codec = codec
        self._payload_octets = payload_octets
        self._still_bytes = still_bytes
        self._interval_ns = interval_ns
        self._loss = loss
        self._utc_s = utc_s
        self._next_ns: int | None = None
        self._asked: AskStill | None = None
        self._frame: Frame | None = None
        self._block: StillBlock | None = None
        self._data = b""
        self._utc: int | None = None
        self._cut_for_octets = 0
        self._number = 0

    def look(self, frame: Frame) -> None:
        """Take the newest frame."""
        self._frame = frame

    def ask(self, request: AskStill) -> bool:
        """Ask for a still of the newest frame; return whether it will be sent.

        It will not while another one is waiting, or if it is too large for the line.
        """
        fits = symbols_of(request.still_bytes, self._payload_octets()) <= MAX_CONTENT_SYMBOLS
        if self._asked is not None or not fits:
            return False
        self._asked = request
        return True

    def wants(self, now_ns: int) -> TrafficClass | None:
        """Return `STILL` until a still has been sent with the repair that it needs, then `REPAIR`."""
        if self._next_ns is None and self._interval_ns is not None:
            self._next_ns = now_ns + self._interval_ns // 2  # the first picture comes first
        unfinished = self._block is not None and not self._sufficient(self._block)
        due = self._asked is not None or (self._next_ns is not None and now_ns >= self._next_ns)
        if not unfinished and due and self._frame is not None:
            self._begin(self._frame, now_ns)
        if self._block is None:
            return None
        if self._cut_for_octets != self._payload_octets():  # the line has been changed
            self._cut()
        return TrafficClass.REPAIR if self._sufficient(self._block) else TrafficClass.STILL

    def take(self, now_ns: int) -> News:  # noqa: ARG002 - as all sources
        """Return the next symbol."""
        assert self._block is not None  # noqa: S101 - that is what `wants` said
        return News(PacketKind.STILL, self._block.next_payload(), LengthClass.STILL)

    def _sufficient(self, block: StillBlock) -> bool:
        return block.sent >= block.content_symbols + repairs_needed(block.content_symbols, self._loss)

    def _begin(self, frame: Frame, now_ns: int) -> None:
        request, self._asked = self._asked or AskStill(), None
        if self._interval_ns is not None:
            self._next_ns = now_ns + self._interval_ns
        payload_octets = self._payload_octets()
        budget_bytes = file_bytes(symbols_of(request.still_bytes or self._still_bytes, payload_octets), payload_octets)
        try:
            importance = None if request.region is None else _importance(frame, request.region)
            self._data = self._codec.encode(frame.pixels, budget_bytes, importance=importance)
        except ModelError as error:
            log.warning("no still reason=%s", error)
            return
        self._utc = self._utc_s()
        self._cut()

    def _cut(self) -> None:
        """Begin a block with the file."""
        self._cut_for_octets = self._payload_octets()
        try:
            self._block = StillBlock(self._number, self._data, self._cut_for_octets, self._utc)
        except ValueError as error:
            self._block = None
            log.warning("no still reason=%s", error)
            return
        symbols = self._block.content_symbols
        log.info("still block=%d bytes=%d symbols=%d", self._number, len(self._data), symbols)
        self._number += 1


def _importance(frame: Frame, region: Region) -> NDArray[np.float32]:
    height, width = frame.pixels.shape[:2]
    left, top = int(region.left * width), int(region.top * height)
    size = max(1, round(region.right * width) - left), max(1, round(region.bottom * height) - top)
    return region_importance(width, height, [(left, top, *size)])
