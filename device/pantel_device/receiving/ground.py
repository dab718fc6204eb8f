"""The ground's side of the back-channel: what an operator asks for goes out, and what became of it comes back.

What was heard of the masts is acknowledged, if that is wanted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pantel_device.outbox import COMMANDS, Outbox
from pantel_device.sending.boot_epoch import next_number
from pantel_link import LinkReceiver, MasterKey, Port, Preset, Profile, SenderKey, StreamContext
from pantel_link.back_channel import (
    AskStill,
    Command,
    Commander,
    Confirm,
    Heard,
    Outcome,
    Region,
    Reply,
    SetLine,
    Watch,
)
from pantel_link.outgoing import write_due
from pantel_link.pacing import Pacer

__all__ = ["LONGEST_WITHIN_S", "WITHIN_S", "Fields", "Ground", "Request", "Way"]

log = logging.getLogger(__name__)

Fields = dict[str, str | int | float | None]

_NS_PER_S = 1_000_000_000
_NUMBER = "command_number"
_POLL_NS = 1_000_000_000
_SOONER = 4  # times: what is lost is told so much sooner, because an object may be gone in some seconds
_LONGEST_S = 0xFFFF  # that a part of the picture can be watched
WITHIN_S = 3600
LONGEST_WITHIN_S = 604_800


@dataclass(frozen=True, slots=True)
class Request:
    """What an operator asks for.

    Attributes:
        command: What is to be done.
        sender: Number of the mast; None for any.
        callsign: Of the mast; empty for any. Of several the one that was heard last.
        within_s: Time within which its mast must be heard [s]; later nobody wants to see any more what is there.
    """

    command: AskStill | SetLine | Watch
    sender: int | None = None
    callsign: str = ""
    within_s: int = WITHIN_S

    def is_for(self, context: StreamContext) -> bool:
        """Whether a mast is meant."""
        return self.sender in {None, context.sender} and self.callsign in {"", context.callsign}

    def to_text(self) -> str:
        """Return the request as it waits in the outbox."""
        values: dict[str, object] = {"sender": self.sender, "callsign": self.callsign, "within_s": self.within_s}
        match self.command:
            case AskStill(still_bytes, region):
                values["still"] = {"still_bytes": still_bytes, "region": None if region is None else _sides(region)}
            case SetLine(bitrate_bps, preset):
                values["line"] = {"bitrate_bps": bitrate_bps, "preset": preset}
            case Watch(region, seconds):
                values["watch"] = {"region": _sides(region), "seconds": seconds}
        return json.dumps(values)

    @classmethod
    def from_text(cls, text: str) -> Request:
        """Read what `to_text` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            values = json.loads(text)
            sender = None if values["sender"] is None else int(values["sender"])
            within_s = min(max(int(values.get("within_s", WITHIN_S)), 1), LONGEST_WITHIN_S)  # older versions told none
            return cls(_command(values), sender, str(values["callsign"]), within_s)
        except (AttributeError, LookupError, RecursionError, TypeError) as error:
            raise ValueError(f"it is no command: {error}") from error


def _sides(region: Region) -> list[float]:
    return [region.left, region.top, region.right, region.bottom]


def _command(values: Mapping[str, Any]) -> AskStill | SetLine | Watch:
    if (still := values.get("still")) is not None:
        region = still["region"]
        return AskStill(int(still["still_bytes"]), None if region is None else Region(*map(float, region)))
    if (watch := values.get("watch")) is not None:
        return Watch(Region(*map(float, watch["region"])), min(max(int(watch["seconds"]), 0), _LONGEST_S))
    line = values["line"]
    return SetLine(int(line["bitrate_bps"]), Preset(line["preset"]) if line["preset"] else None)


@dataclass(slots=True)
class _Heard:
    """What was heard of a stream.

    Attributes:
        next_ns: When it is acknowledged again.
        last_ns: When it was last.
        packets: What was heard.
    """

    next_ns: int
    last_ns: int = 0
    packets: Heard = field(default_factory=Heard)


@dataclass(slots=True, eq=False)
class Way:
    """A line on which commands go out.

    Attributes:
        port: Where they go.
        profile: Of the port.
        bitrate_bps: Of the back-channel there.
        pacer: Of the line; None until the first mast is heard.
    """

    port: Port
    profile: Profile
    bitrate_bps: int
    pacer: Pacer | None = None


class Ground:
    """Takes requests from an outbox and sends their commands to the masts that they are for, each where it is heard.

    A request waits in the outbox until its mast has been heard, or its time is over, which is reckoned anew when the
    receiver starts again: a clock of the day may be wrong.

    Args:
        key: Of the masts.
        state_dir: Holds the outbox and the number of the last command.
        port: Where commands go, unless the mast is heard on another line; see `add_way`.
        profile: Of the port.
        bitrate_bps: Of the back-channel.
        link: The receiver, which must know at which rate the mast sends.
        acknowledge_ns: Time between two acknowledgements of what was heard; None for none.
    """

    def __init__(
        self,
        *,
        key: MasterKey | SenderKey,
        state_dir: Path,
        port: Port,
        profile: Profile,
        bitrate_bps: int,
        link: LinkReceiver,
        acknowledge_ns: int | None = None,
    ) -> None:
        self._key = key
        self._state_dir = state_dir
        self._outbox = Outbox(state_dir / COMMANDS)
        self._first = Way(port, profile, bitrate_bps)
        self._ways = {port: self._first}
        self._routes: dict[StreamContext, Way] = {}
        self._link = link
        self._commanders: dict[tuple[int, str], Commander] = {}
        self._way_of: dict[tuple[int, str], Way] = {}  # of each commander
        self._acknowledge_ns = acknowledge_ns
        self._heard: dict[StreamContext, _Heard] = {}
        self._next_look_ns = 0
        self._seen_ns: dict[str, int] = {}  # by name of a request: when it was there first

    def advance(self, now_ns: int) -> list[Fields]:
        """Send what is due; return what is known now of commands, as fields of events."""
        told = []
        if now_ns >= self._next_look_ns:
            self._next_look_ns = now_ns + _POLL_NS
            told += self._look(now_ns)
        if self._acknowledge_ns is not None:
            self._acknowledge(now_ns, self._acknowledge_ns)
        for way in self._ways.values():
            told += self._speak(way, now_ns)
        return told

    def add_way(self, way: Way) -> None:
        """Have another line for masts that are heard there."""
        self._ways[way.port] = way

    def route(self, context: StreamContext, port: Port) -> None:
        """Take note of the line on which a mast is heard; what goes to it goes out there, if anything may."""
        if (way := self._ways.get(port)) is not None:
            self._routes[context] = way

    def hear(self, context: StreamContext, counter: int, now_ns: int) -> None:
        """Take note of a packet of a mast that was heard and understood."""
        if self._acknowledge_ns is None:
            return
        if context not in self._heard:
            self._heard[context] = _Heard(now_ns + self._acknowledge_ns // 2)  # what a stream begins with matters most
        heard = self._heard[context]
        if heard.packets.add(counter):
            heard.next_ns = min(heard.next_ns, heard.last_ns + self._acknowledge_ns // _SOONER)

    def take(self, reply: Reply, context: StreamContext) -> Fields | None:
        """Take a reply of a mast; return what it tells of a command, as fields of an event."""
        self._link.set_bitrate(context, reply.bitrate_bps)
        commander = self._commanders.get((context.sender, context.callsign))
        if commander is None or commander.context != context:
            return None
        command = commander.take(reply)
        if command is None and reply.outcome is not Outcome.ROLLED_BACK:
            return None
        fields = _fields(context, command, reply.outcome.name.lower())
        return fields | {"bitrate_bps": reply.bitrate_bps, "preset": str(reply.preset)}

    def _speak(self, way: Way, now_ns: int) -> list[Fields]:
        """Send what is due on a line; return what nobody has answered."""
        told = []
        commanders = [each for name, each in self._commanders.items() if self._way_of[name] is way]
        # Whoever is in the middle of a packet goes first.
        for commander in sorted(commanders, key=lambda each: not each.speaking):
            write_due(commander, way.port, now_ns)
            if commander.speaking:
                break
            if (command := commander.given_up(now_ns)) is not None:
                told.append(_fields(commander.context, command, "no_answer"))
        return told

    def _acknowledge(self, now_ns: int, interval_ns: int) -> None:
        """Have the masts told what was heard of them, if it is time and more than before."""
        for commander in self._commanders.values():
            heard = self._heard.get(commander.context)
            if heard is None or now_ns < heard.next_ns:
                continue
            heard.last_ns, heard.next_ns = now_ns, now_ns + interval_ns
            if (news := heard.packets.news()) is not None:
                commander.acknowledge(news)

    def _look(self, now_ns: int) -> list[Fields]:
        """Take the requests from the outbox whose masts are known; return what is told of those whose time is over."""
        known = self._link.contexts
        self._heard = {context: heard for context, heard in self._heard.items() if context in known}
        self._routes = {context: way for context, way in self._routes.items() if context in known}
        for context in known:
            self._follow(context, now_ns)
        lapsed = []
        waiting = self._outbox.waiting()
        self._seen_ns = {name: self._seen_ns.get(name, now_ns) for name, _ in waiting}
        for name, text in waiting:
            try:
                request = Request.from_text(text)
            except ValueError as error:
                log.warning("command ignored reason=%s", error)
                self._drop(name)
                continue
            for context in reversed(self._link.contexts):
                commander = self._commanders.get((context.sender, context.callsign))
                if commander is not None and commander.context == context and request.is_for(context):
                    commander.give(request.command)
                    self._drop(name)
                    break
            else:
                if now_ns - self._seen_ns[name] >= request.within_s * _NS_PER_S:
                    self._drop(name)
                    lapsed.append(_lapsed(request))
        return lapsed

    def _drop(self, name: str) -> None:
        """Remove a request; the next one may have its name."""
        self._outbox.remove(name)
        del self._seen_ns[name]

    def _follow(self, context: StreamContext, now_ns: int) -> None:
        """Have a commander for the newest start of a mast, on the line where that is heard.

        What the last one had left to say goes to it.
        """
        name = context.sender, context.callsign
        way = self._routes.get(context, self._first)
        before = self._commanders.get(name)
        key = self._key.sender_key(*name)
        if key is None or (before is not None and (before.speaking or before.context.epoch > context.epoch)):
            return
        if before is not None and before.context.epoch == context.epoch and self._way_of[name] is way:
            return
        if way.pacer is None:
            way.pacer = Pacer(way.bitrate_bps, now_ns, burst_octets=way.profile.burst_octets)
        commander = Commander(
            context,
            key,
            lambda: next_number(self._state_dir, _NUMBER),
            now_ns=now_ns,
            profile=way.profile,
            pacer=way.pacer,
            bitrate_bps=way.bitrate_bps,
        )
        for command in () if before is None else before.unanswered:
            commander.give(command)
        self._commanders[name], self._way_of[name] = commander, way


def _fields(context: StreamContext, command: Command | None, outcome: str) -> Fields:
    return {"callsign": context.callsign, "sender": context.sender, "outcome": outcome, **_said(command)}


def _lapsed(request: Request) -> Fields:
    """Return what is told of a request whose mast was not heard in time; of one to any mast no name."""
    name = {"callsign": request.callsign, "sender": request.sender}
    named = request.callsign and request.sender is not None
    return {**(name if named else {}), "outcome": "lapsed", **_said(request.command)}


def _said(command: Command | None) -> Fields:
    """Return a command in the words of `pantel ask`; None where it is not known any more."""
    match command:
        case AskStill(still_bytes, region):
            return {"command": "still", "still_bytes": still_bytes, "region": None if region is None else _text(region)}
        case Watch(region, seconds):
            return {"command": "watch", "region": _text(region), "seconds": seconds}
        case SetLine(bitrate_bps, preset):
            return {"command": "line", "asked_bitrate_bps": bitrate_bps or None, "asked_preset": preset}
        case Confirm():
            return {"command": "confirm"}
    return {"command": None}


def _text(region: Region) -> str:
    return ",".join(f"{side:g}" for side in _sides(region))
