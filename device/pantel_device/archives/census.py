"""Counts what a replay shows: for each run and day, and for each sender in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import numpy as np

from pantel_device.archives.content_age import ContentAges
from pantel_device.archives.scene_quality import SceneQuality
from pantel_device.pictures import picture_hash
from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.sink import Event, Picture, SenderName
from pantel_link import ReceiverStatistics, StreamContext, StreamStatistics
from pantel_link.captures import CaptureHeader
from pantel_models import View

__all__ = ["Census", "Row"]

Row = dict[str, str | int | float | None]

_NS_PER_S = 1_000_000_000
_DAY_S = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUALITY_INTERVAL_NS = 10 * _NS_PER_S
_LONGEST_SILENCE_NS = _DAY_S * _NS_PER_S  # more is a clock that jumped, or damage: no time of the receiver's
# Of a capture, of all senders together: those of 27 masts in a year. A file of a few kilobytes may name any number of
# days, and each costs every sender a row and a millisecond.
_MOST_SENDER_DAYS = 10_000

_Counters = TypeVar("_Counters", StreamStatistics, ReceiverStatistics)


@dataclass(slots=True, eq=False)
class _RunDay:
    """One day of one run; times are in its file's time, UTC if that was known."""

    begin_ns: int
    spent_ns: int = 0
    seconds: int = 0
    codewords: int = 0
    payloads_damaged: int = 0
    payloads_cut: int = 0
    statistics: ReceiverStatistics = field(default_factory=ReceiverStatistics)


@dataclass(slots=True, eq=False)
class _SenderDay:
    """One sender on one day of one run."""

    pictures: int = 0
    payloads_damaged: int = 0
    payloads_cut: int = 0
    statistics: StreamStatistics = field(default_factory=StreamStatistics)
    ages: ContentAges = field(default_factory=ContentAges)
    quality: SceneQuality = field(default_factory=SceneQuality)


@dataclass(slots=True, eq=False)
class _Sender:
    """One sender in one run.

    Attributes:
        context: Its newest stream.
        streams: How often it has begun.
        content_ns: When the newest content that the receiver holds was captured, on the receiver's clock.
        first_picture_s: From the run's begin until a picture could be drawn [s].
        days: By number since 1970; -1 where the time was not known.
    """

    context: StreamContext
    streams: int = 0
    content_ns: int | None = None
    first_picture_s: float | None = None
    days: dict[int, _SenderDay] = field(default_factory=dict)


class Census:
    """A probe of replays: counts, and has nothing drawn unless pictures are to be compared.

    `pass_to` and whatever counts a sender raise `OverflowError` once there are more days than a capture can hold.

    Args:
        capture: Its name in the rows.
        fresh_s: Age up to which content counts as fresh [s].
        hashed: View whose pictures are drawn and hashed; None for none.

    Attributes:
        runs: A row for each run and each day that it lasted.
        senders: A row for each sender in it that was heard.
        alarms: A row for each alarm.
        pictures: A row for each picture.
        missing_models: What was said of streams whose model is not installed.
    """

    def __init__(self, capture: str, *, fresh_s: float, hashed: View | None = None) -> None:
        self.runs: list[Row] = []
        self.senders: list[Row] = []
        self.alarms: list[Row] = []
        self.pictures: list[Row] = []
        self.missing_models: dict[str, None] = {}
        self._capture = capture
        self._fresh_ns = round(fresh_s * _NS_PER_S)
        self._hashed = hashed
        self._run = -1
        self._left_s = _MOST_SENDER_DAYS * _DAY_S

    def begin(self, header: CaptureHeader, receiver: Receiver) -> None:
        """Take note that a run begins."""
        self._run += 1
        self._header = header
        self._receiver = receiver
        self._offset_ns = header.clock_offset_ns
        self._begin_ns: int | None = None
        self._now_ns = 0
        self._accounted_ns = 0
        self._next_quality_ns = 0
        self._counted = ReceiverStatistics()
        self._damaged = self._cut = 0
        self._known: dict[StreamContext, StreamStatistics] = {}
        self._senders: dict[SenderName, _Sender] = {}
        self._days: dict[int, _RunDay] = {}

    def pass_to(self, now_ns: int) -> None:
        """Account for the time until now, in which the receiver has heard nothing."""
        if self._begin_ns is None:
            self._begin_ns = self._accounted_ns = now_ns
            self._next_quality_ns = _next_look_ns(now_ns)
        self._now_ns = now_ns
        if now_ns - self._accounted_ns > _LONGEST_SILENCE_NS:
            self._accounted_ns = now_ns
        # A second at a time: that is how often ages are taken.
        if (now_ns + self._offset_ns) // _NS_PER_S > (self._accounted_ns + self._offset_ns) // _NS_PER_S:
            self._account()
        if now_ns >= self._next_quality_ns:
            self._next_quality_ns = _next_look_ns(now_ns)
            self._look()

    def heard(self) -> None:
        """Count what a codeword has changed."""
        today = self._today()
        today.codewords += 1
        _add_change(today.statistics, self._counted, self._receiver.link.statistics)
        self._counted = ReceiverStatistics(**asdict(self._receiver.link.statistics))
        damaged, cut = self._receiver.payloads_damaged - self._damaged, self._receiver.payloads_cut - self._cut
        self._damaged += damaged
        self._cut += cut
        today.payloads_damaged += damaged
        today.payloads_cut += cut
        for sender_today in self._heard_of():
            # A codeword brings packets of one stream alone: those that it has made known.
            sender_today.payloads_damaged += damaged
            sender_today.payloads_cut += cut
        for contact in self._receiver.contacts:
            if contact.sender in self._senders:
                self._senders[contact.sender].content_ns = contact.capture_time_ns

    def views(self, sender: SenderName, *, heard_last: bool, silence_s: float) -> Collection[View]:  # noqa: ARG002
        """Count a picture that a receiver draws by itself, of the sender heard last; want it only to be hashed."""
        if not heard_last or self._begin_ns is None:
            return ()
        known = self._senders.get(sender)
        if known is None:  # more senders than a link knows at a time
            return ()
        self._on(known, self._day(self._now_ns)).pictures += 1
        if known.first_picture_s is None:
            known.first_picture_s = (self._now_ns - self._begin_ns) / _NS_PER_S
        return () if self._hashed is None else (self._hashed,)

    def on_picture(self, picture: Picture) -> None:
        """Hash a picture."""
        self.pictures.append(
            self._place()
            | {
                "time_ns": picture.time_ns,
                "callsign": picture.sender.callsign,
                "sender": picture.sender.number,
                "sha256": picture_hash(picture.pixels),
            }
        )

    def on_event(self, event: Event) -> None:
        """Take note of alarms, and of a model that is missing."""
        if event.kind == "model_missing":
            self.missing_models[str(event.fields["message"])] = None
        elif event.kind == "alarm":
            day = self._day(event.time_ns)
            told = {key: value for key, value in event.fields.items() if key != "happened_monotonic_s"}
            self.alarms.append(self._place() | {"day": _date(day), "told_utc": self._utc_ns(event.time_ns)} | told)

    def end(self) -> None:
        """Write the rows of the run that is over."""
        if self._begin_ns is not None:
            self._account()
        for day, run in sorted(self._days.items()):
            self.runs.append(self._run_row(day, run))
        for name, sender in sorted(self._senders.items()):
            for day, counted in sorted(sender.days.items()):
                self.senders.append(self._sender_row(name, sender, day, counted))

    def close(self) -> None:
        """Hold nothing."""

    def _account(self) -> None:
        """Share out the time since it was last accounted for, day by day, and take the ages at its whole seconds."""
        begin_ns, end_ns = self._accounted_ns + self._offset_ns, self._now_ns + self._offset_ns
        self._accounted_ns = self._now_ns
        while True:
            day = self._day(begin_ns - self._offset_ns)
            until_ns = end_ns if day < 0 else min(end_ns, (day + 1) * _DAY_S * _NS_PER_S)
            run = self._days.setdefault(day, _RunDay(begin_ns))
            run.spent_ns += until_ns - begin_ns
            # Each second belongs to the time that follows it, so that midnight is the new day's.
            seconds_ns = np.arange(-(-begin_ns // _NS_PER_S), -(-until_ns // _NS_PER_S), dtype=np.int64) * _NS_PER_S
            run.seconds += seconds_ns.size
            for sender in self._senders.values() if seconds_ns.size else ():
                if sender.content_ns is not None:
                    ages_ns = seconds_ns - (sender.content_ns + self._offset_ns)
                    self._on(sender, day).ages.take(ages_ns, self._fresh_ns)
                    if day < 0:  # has one row however long it is
                        self._spend(seconds_ns.size)
            if until_ns >= end_ns:
                return
            begin_ns = until_ns

    def _look(self) -> None:
        """Take note of how good the scenes are, of those whose content is fresh."""
        for name, sender in self._senders.items():
            if sender.content_ns is None or self._now_ns - sender.content_ns > self._fresh_ns:
                continue
            scene = self._receiver.scene_of(name)
            if scene is not None:
                shown_ns = self._now_ns - self._header.playout_delay_ns
                self._on(sender, self._day(self._now_ns)).quality.take(scene, shown_ns)

    def _heard_of(self) -> Iterator[_SenderDay]:
        """Count the packets of each stream; yield the senders of which a codeword has brought some."""
        for context in self._receiver.link.contexts:
            statistics = self._receiver.link.statistics_of(context)
            if statistics is None or not statistics.packets_good:
                continue
            name = SenderName(context.callsign, context.sender)
            before = self._known.get(context)
            if before is None or before.packets_good > statistics.packets_good:  # forgotten in between, it began anew
                before = StreamStatistics()
            if statistics == before:
                continue
            sender = self._senders.setdefault(name, _Sender(context))
            sender.streams += context not in self._known
            sender.context = context
            self._known[context] = statistics
            counted = self._on(sender, self._day(self._now_ns))
            _add_change(counted.statistics, before, statistics)
            if statistics.packets_good > before.packets_good:
                yield counted

    def _on(self, sender: _Sender, day: int) -> _SenderDay:
        """Return what is counted of a sender on a day."""
        counted = sender.days.get(day)
        if counted is None:
            if sender.days:  # the first one has packets of its own: it costs no more than the file does
                self._spend(_DAY_S)
            counted = sender.days[day] = _SenderDay()
        return counted

    def _spend(self, seconds: int) -> None:
        self._left_s -= seconds
        if self._left_s < 0:
            raise OverflowError(f"more than {_MOST_SENDER_DAYS} days of senders")

    def _today(self) -> _RunDay:
        return self._days.setdefault(self._day(self._now_ns), _RunDay(self._now_ns + self._offset_ns))

    def _day(self, time_ns: int) -> int:
        """Return the number since 1970 of the UTC day at a time of the receiver; -1 if its clock was not set."""
        return (time_ns + self._offset_ns) // (_DAY_S * _NS_PER_S) if self._offset_ns else -1

    def _utc_ns(self, time_ns: int) -> int | None:
        return time_ns + self._offset_ns if self._offset_ns else None

    def _place(self) -> Row:
        return {"capture": self._capture, "run": self._run}

    def _run_row(self, day: int, run: _RunDay) -> Row:
        return self._place() | {
            "day": _date(day),
            "begin_utc": run.begin_ns if self._offset_ns else None,
            "seconds": run.spent_ns / _NS_PER_S,
            "bitrate_bps": self._header.bitrate_bps,
            "codewords": run.codewords,
            "payloads_damaged": run.payloads_damaged,
            "payloads_cut": run.payloads_cut,
            **_rates(run.statistics),
        }

    def _sender_row(self, name: SenderName, sender: _Sender, day: int, counted: _SenderDay) -> Row:
        seconds = self._days[day].seconds
        return self._place() | {
            "day": _date(day),
            "callsign": name.callsign,
            "sender": name.number,
            "streams": sender.streams,
            "model": sender.context.model_hash.hex(),
            "width_px": sender.context.width_px,
            "height_px": sender.context.height_px,
            "payloads_damaged": counted.payloads_damaged,
            "payloads_cut": counted.payloads_cut,
            **_rates(counted.statistics),
            "pictures": counted.pictures,
            "first_picture_s": sender.first_picture_s,
            "seconds": seconds,
            "seconds_with_content": counted.ages.count,
            "seconds_fresh": counted.ages.fresh,
            "availability": counted.ages.fresh / seconds if seconds else None,
            "content_age_mean_s": counted.ages.mean_s,
            "content_age_p50_s": counted.ages.percentile_s(0.5),
            "content_age_p95_s": counted.ages.percentile_s(0.95),
            "content_age_max_s": counted.ages.max_s,
            **counted.quality.means(),
        }


def _next_look_ns(now_ns: int) -> int:
    """Return the next multiple of the interval, so that short runs are looked at as often as long ones."""
    return now_ns - now_ns % _QUALITY_INTERVAL_NS + _QUALITY_INTERVAL_NS


def _add_change(total: _Counters, before: _Counters, after: _Counters) -> None:
    """Add to counters by how much others have grown."""
    for each in fields(total):
        grown = getattr(after, each.name) - getattr(before, each.name)
        setattr(total, each.name, getattr(total, each.name) + grown)


def _rates(statistics: StreamStatistics) -> Mapping[str, int | float | None]:
    return {
        **asdict(statistics),
        "bit_error_rate": statistics.bit_error_rate,
        "packet_loss": statistics.packet_loss,
    }


def _date(day: int) -> str | None:
    return None if day < 0 else (_EPOCH + timedelta(days=day)).date().isoformat()
