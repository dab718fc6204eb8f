"""Receives captured codewords again, on a virtual clock: the same pictures for the same instants as live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.sink import Sink, Watcher
from pantel_link import Keyring, MasterKey, ReceiverStatistics, Security, SecurityError, SenderKey, StreamContext
from pantel_link.captures import (
    CapturedCodeword,
    CaptureEnd,
    CaptureEvent,
    CaptureHeader,
    ReplayLink,
    ReplayPort,
)
from pantel_link.seal import Seal
from pantel_models import View

__all__ = ["ReplayProbe", "ReplayedRun", "refusal", "replay"]

_LONGEST_SILENCE_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class ReplayedRun:
    """One run of a receiver, repeated.

    Attributes:
        codewords: Codewords in the capture, good and bad.
        seconds: From the first of them to the end [s].
        payloads_damaged: Scene payloads that could not be decoded.
        payloads_cut: Scene payloads whose end could not be read.
        statistics: Counters of the link.
        refused: Streams that need a key that is not here, or have none although there is one.
    """

    codewords: int
    seconds: float
    payloads_damaged: int
    payloads_cut: int
    statistics: ReceiverStatistics
    refused: tuple[StreamContext, ...] = ()


class ReplayProbe(Watcher, Protocol):
    """A watcher that measures: it is told how the time of a run passes, and may look at its receiver."""

    def begin(self, header: CaptureHeader, receiver: Receiver) -> None:
        """Take note that a run begins; its time begins with its first codeword."""

    def pass_to(self, now_ns: int) -> None:
        """Take note, before anything happens at a time, that nothing has since the time before."""

    def heard(self) -> None:
        """Take note that a codeword, good or bad, has been received at the present time."""

    def end(self) -> None:
        """Take note that the run is over."""


def replay(
    events: Iterable[CaptureEvent],
    sinks: Sequence[Sink],
    *,
    view: View = View.FAITHFUL,
    key: MasterKey | SenderKey | None = None,
    probe: ReplayProbe | None = None,
) -> Iterator[ReplayedRun]:
    """Repeat the runs of a capture and yield each one when it is over.

    Every run begins with an empty receiver, as it did live. Pictures are drawn for the same instants; those that the
    live receiver was too busy to draw are drawn, too. In a silence of more than a minute nothing is drawn after the
    first minute. What was sent, rather than received, is passed over. What nobody takes is not drawn: without sinks a
    day takes minutes.

    Args:
        events: What `read_capture` yields.
        sinks: Take pictures and events.
        view: Which generator paints them.
        key: What the live receiver had.
        probe: Measures; None for nobody.
    """
    run: _Run | None = None
    for event in events:
        match event:
            case CaptureHeader():
                if run is not None:
                    yield run.end()
                run = _Run(event, sinks, view, key, probe)
            case CapturedCodeword(outbound=False) if run is not None:
                run.take(event)
            case CaptureEnd(time_ns) if run is not None:
                yield run.end(time_ns)
                run = None
    if run is not None:
        yield run.end()


def refusal(context: StreamContext) -> str:
    """Return why a stream of `ReplayedRun.refused` was not taken, and what to do."""
    who = f"sender {context.sender}, {context.callsign},"
    if context.security is Security.CHECKED:
        return f"{who} has no key, so it is not believed while one is named: replay it without --key"
    return f"{who} is {context.security.name.lower()}, and its key is not here: name it with --key"


class _NotingKeyring(Keyring):
    """Notes the streams that it does not take.

    Attributes:
        refused: These streams.
    """

    def __init__(self, key: MasterKey | SenderKey | None) -> None:
        super().__init__(key)
        self.refused: dict[StreamContext, None] = {}  # in the order of appearance

    def seal(self, context: StreamContext) -> Seal:
        """Return the seal of a stream that somebody announces.

        Raises:
            SecurityError: It is not taken.
        """
        try:
            return super().seal(context)
        except SecurityError:
            self.refused[context] = None
            raise


class _Run:
    """A receiver and the virtual time that it lives in."""

    def __init__(
        self,
        header: CaptureHeader,
        sinks: Sequence[Sink],
        view: View,
        key: MasterKey | SenderKey | None,
        probe: ReplayProbe | None,
    ) -> None:
        self._header = header
        self._port = ReplayPort("replay")
        self._keyring = _NotingKeyring(key)
        self._receiver = Receiver(
            port=self._port,
            link=ReplayLink.from_header(header, self._port, keyring=self._keyring),
            sinks=sinks,
            interval_ns=header.picture_interval_ns,
            playout_delay_ns=header.playout_delay_ns,
            view=view,
            watchers=() if probe is None else (probe,),
        )
        self._probe = probe
        if probe is not None:
            probe.begin(header, self._receiver)
        self._codewords = 0
        self._begin_ns = 0
        self._now_ns = 0

    def take(self, captured: CapturedCodeword) -> None:
        """Let time pass until a codeword arrives, and receive it."""
        if not self._codewords:
            self._begin_ns = self._now_ns = captured.arrival_ns
        self._codewords += 1
        self._pass_until(captured.arrival_ns)
        self._port.offer(captured)
        self._receiver.advance(self._now_ns)
        if self._probe is not None:
            self._probe.heard()

    def end(self, time_ns: int | None = None) -> ReplayedRun:
        """Let time pass until the end; if that is not known, until what came last has been shown."""
        if self._codewords:
            self._pass_until(self._now_ns + self._header.playout_delay_ns if time_ns is None else time_ns)
        if self._probe is not None:
            self._probe.end()
        return ReplayedRun(
            codewords=self._codewords,
            seconds=(self._now_ns - self._begin_ns) / 1e9,
            payloads_damaged=self._receiver.payloads_damaged,
            payloads_cut=self._receiver.payloads_cut,
            statistics=self._receiver.link.statistics,
            refused=tuple(self._keyring.refused),
        )

    def _pass_until(self, time_ns: int) -> None:
        """Draw the pictures that are due until a time; one in the past counts as the present."""
        interval_ns = self._header.picture_interval_ns
        due_ns = (self._now_ns // interval_ns + 1) * interval_ns
        for instant_ns in range(due_ns, min(time_ns, self._now_ns + _LONGEST_SILENCE_NS) + 1, interval_ns):
            if self._probe is not None:
                self._probe.pass_to(instant_ns)
            self._receiver.advance(instant_ns)
        self._now_ns = max(self._now_ns, time_ns)
        if self._probe is not None:
            self._probe.pass_to(self._now_ns)
