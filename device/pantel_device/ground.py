"""The ground's side of the back-channel: what an operator asks for goes out, and what became of it comes back."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

from pantel_device.boot_epoch import next_boot_epoch
from pantel_device.messages_out import Outbox
from pantel_link import LinkReceiver, MasterKey, Port, Preset, Profile, SenderKey, StreamContext
from pantel_link.back_channel import AskStill, Command, Commander, Outcome, Region, Reply, SetLine

__all__ = ["COMMANDS", "Ground", "command_from_text", "command_to_text"]

log = logging.getLogger(__name__)

COMMANDS = "commands"
_NUMBER = "command_number"
_POLL_NS = 1_000_000_000


def command_to_text(command: AskStill | SetLine) -> str:
    """Return a command as it waits in the outbox."""
    match command:
        case AskStill(still_bytes, region):
            sides = None if region is None else [region.left, region.top, region.right, region.bottom]
            return json.dumps({"still": {"still_bytes": still_bytes, "region": sides}})
        case SetLine(bitrate_bps, preset):
            return json.dumps({"line": {"bitrate_bps": bitrate_bps, "preset": preset}})


def command_from_text(text: str) -> AskStill | SetLine:
    """Read what `command_to_text` wrote.

    Raises:
        ValueError: It is something else.
    """
    try:
        ((what, values),) = json.loads(text).items()
        if what == "still":
            region = values["region"]
            return AskStill(int(values["still_bytes"]), None if region is None else Region(*map(float, region)))
        if what == "line":
            return SetLine(int(values["bitrate_bps"]), Preset(values["preset"]) if values["preset"] else None)
    except (AttributeError, LookupError, RecursionError, TypeError) as error:
        raise ValueError(f"it is no command: {error}") from error
    raise ValueError(f"it is no command: {what}")


class Ground:
    """Takes commands from an outbox and sends them to the mast that was heard last.

    Args:
        key: Of the masts.
        state_dir: Holds the outbox and the number of the last command.
        port: Where commands go.
        profile: Of the port.
        bitrate_bps: Of the back-channel.
        link: The receiver, which must know at which rate the mast sends.
        tell: Is told what became of a command: fields of an event.
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
        tell: Callable[[int, dict[str, str | int | float | None]], None],
    ) -> None:
        self._key = key
        self._state_dir = state_dir
        self._outbox = Outbox(state_dir / COMMANDS)
        self._port = port
        self._profile = profile
        self._bitrate_bps = bitrate_bps
        self._link = link
        self._tell = tell
        self._commander: Commander | None = None
        self._next_look_ns = 0

    def advance(self, now_ns: int) -> None:
        """Send what is due."""
        if now_ns >= self._next_look_ns:
            self._next_look_ns = now_ns + _POLL_NS
            self._look(now_ns)
        if self._commander is None:
            return
        while chunk := self._commander.due(now_ns):
            written = self._port.write(chunk)
            if written < len(chunk):
                self._commander.put_back(chunk[written:])
                break
        if (command := self._commander.given_up(now_ns)) is not None:
            self._tell(now_ns, {"command": str(command), "outcome": "no_answer"})

    def take(self, reply: Reply, now_ns: int) -> None:
        """Take a reply of a mast."""
        if reply.outcome is not Outcome.REFUSED:
            self._link.bitrate_bps = reply.bitrate_bps
        command = None if self._commander is None else self._commander.take(reply)
        if command is not None or reply.outcome is Outcome.ROLLED_BACK:
            fields: dict[str, str | int | float | None] = {
                "command": None if command is None else str(command),
                "outcome": reply.outcome.name.lower(),
                "bitrate_bps": reply.bitrate_bps,
                "preset": str(reply.preset),
            }
            self._tell(now_ns, fields)

    def _look(self, now_ns: int) -> None:
        contexts = self._link.contexts
        if not contexts:
            return  # whatever waits, waits for a mast
        if self._commander is None or self._commander.context != contexts[-1]:
            self._commander = self._begin(contexts[-1], now_ns)
        text = self._outbox.take() if self._commander is not None else None
        if text is None or self._commander is None:
            return
        try:
            command: Command = command_from_text(text)
        except ValueError as error:
            log.warning("command ignored reason=%s", error)
            return
        self._commander.give(command)

    def _begin(self, context: StreamContext, now_ns: int) -> Commander | None:
        key = self._key.sender_key(context.sender, context.callsign)
        if key is None:
            return None
        return Commander(
            context,
            key,
            lambda: next_boot_epoch(self._state_dir, _NUMBER),
            now_ns=now_ns,
            profile=self._profile,
            bitrate_bps=self._bitrate_bps,
        )
