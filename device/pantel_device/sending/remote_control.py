"""What a mast does when somebody with its key tells it to."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pantel_device.scene_encoding.payload_encoder import Attentive
from pantel_device.sending.airtime import News
from pantel_device.sending.still_sender import StillSender
from pantel_link import LinkSender, PacketKind, Preset, Profile
from pantel_link.back_channel import (
    Acknowledge,
    AskStill,
    CommandListener,
    Confirm,
    NumberedCommand,
    Outcome,
    Reply,
    SetLine,
    Watch,
)
from pantel_link.traffic import TrafficClass

__all__ = ["RemoteControl"]

log = logging.getLogger(__name__)

_TRIAL_AIR_TIMES = 150  # of a live packet, a minute at 960 bit/s: five commands and their replies take half of it
_LIVE_PACKET_BITS = 8 * 48
_REPEAT_INTERVAL_NS = 3_000_000_000  # of a reply to one and the same command, which anybody may have recorded
_LOWEST_BITRATE_BPS = 50


@dataclass(frozen=True, slots=True)
class _Line:
    """How the mast sends."""

    bitrate_bps: int
    preset: Preset


@dataclass(frozen=True, slots=True)
class _Trial:
    """A setting that waits for its confirmation.

    Attributes:
        number: Lower 16 bits of the command's number.
        before: What to go back to.
        ends_ns: When.
    """

    number: int
    before: _Line
    ends_ns: int


class RemoteControl:
    """Does commands and says what became of them.

    A new bit rate or preset is on trial until it is confirmed: whoever cuts the link by a setting need not climb the
    mast. A restart goes back to the configuration.

    Args:
        listener: Hears commands.
        link: Of the mast.
        stills: Takes requests for stills; None for nobody.
        encoder: Is told what was heard, and where to look.
        preset: That the link sends with.
        profile: Makes the profile of a preset.
    """

    def __init__(
        self,
        listener: CommandListener,
        link: LinkSender,
        stills: StillSender | None,
        encoder: Attentive,
        *,
        preset: Preset,
        profile: Callable[[Preset], Profile],
    ) -> None:
        self._listener = listener
        self._link = link
        self._stills = stills
        self._encoder = encoder
        self._line = _Line(link.bitrate_bps, preset)
        self._profile = profile
        self._trial: _Trial | None = None
        self._replies: deque[Reply] = deque()
        self._last_reply: Reply | None = None
        self._repeats = 0
        self._repeat_from_ns = 0

    def hear(self, octets: bytes, now_ns: int, *, whole_packet: bool) -> None:
        """Take what the port brought; see `CommandListener.receive`."""
        for numbered in self._listener.receive(octets, now_ns, whole_packet=whole_packet):
            if isinstance(numbered, Acknowledge):
                if numbered.newest < self._link.statistics.packets:  # nobody has heard what was not sent
                    self._encoder.acknowledged(numbered)
                    self._link.postpone_ident(now_ns)
                continue
            outcome = self._do(numbered, now_ns)
            log.info("command number=%d what=%s outcome=%s", numbered.number, numbered.command, outcome.name.lower())
            self._reply(numbered.number & 0xFFFF, outcome)
        if self._listener.repeats > self._repeats:
            self._repeats = self._listener.repeats
            if self._last_reply is not None and now_ns >= self._repeat_from_ns and not self._replies:
                self._repeat_from_ns = now_ns + _REPEAT_INTERVAL_NS
                self._replies.append(self._last_reply)

    def wants(self, now_ns: int) -> TrafficClass | None:
        """Return `MESSAGE` when there is a reply; go back if a trial is over."""
        if self._trial is not None and now_ns >= self._trial.ends_ns:
            trial, self._trial = self._trial, None
            self._change(trial.before, now_ns)
            log.warning("nobody confirmed number=%d; back to %s", trial.number, trial.before)
            self._reply(trial.number, Outcome.ROLLED_BACK)
        return TrafficClass.MESSAGE if self._replies else None

    def take(self, now_ns: int) -> News:  # noqa: ARG002 - as all sources
        """Return the next reply."""
        return News(PacketKind.REPLY, self._replies.popleft().to_payload())

    def _do(self, numbered: NumberedCommand, now_ns: int) -> Outcome:
        match numbered.command:
            case AskStill() as request:
                asked = self._stills is not None and self._stills.ask(request)
                return Outcome.DONE if asked else Outcome.REFUSED
            case Watch(region, seconds):
                watched = self._encoder.watch(region, now_ns + seconds * 1_000_000_000)
                return Outcome.DONE if watched else Outcome.REFUSED
            case SetLine(bitrate_bps, preset):
                return self._try(
                    numbered.number, _Line(bitrate_bps or self._line.bitrate_bps, preset or self._line.preset), now_ns
                )
            case Confirm(number):
                if self._trial is None or self._trial.number != number:
                    return Outcome.REFUSED
                self._trial = None
                return Outcome.DONE

    def _try(self, number: int, line: _Line, now_ns: int) -> Outcome:
        before = self._line if self._trial is None else self._trial.before
        if line.bitrate_bps < _LOWEST_BITRATE_BPS:
            return Outcome.REFUSED
        try:
            self._change(line, now_ns)
        except ValueError:
            return Outcome.REFUSED
        slower_bps = min(line.bitrate_bps, before.bitrate_bps)
        trial_ns = _TRIAL_AIR_TIMES * _LIVE_PACKET_BITS * 1_000_000_000 // slower_bps
        self._trial = _Trial(number & 0xFFFF, before, now_ns + trial_ns)
        return Outcome.ON_TRIAL

    def _change(self, line: _Line, now_ns: int) -> None:
        self._link.change_line(now_ns, profile=self._profile(line.preset), bitrate_bps=line.bitrate_bps)
        self._line = line

    def _reply(self, number: int, outcome: Outcome) -> None:
        self._last_reply = Reply(number, outcome, self._line.bitrate_bps, self._line.preset)
        self._replies.append(self._last_reply)
