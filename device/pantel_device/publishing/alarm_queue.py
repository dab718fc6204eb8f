"""Alarms on their way to somebody beyond a network: on disk until that has taken them.

Each alarm is a file of its own, `NUMBER.json`, written by the receiver's loop and not told to the disk there: so it
outlives the process at once, and a power cut as soon as the consumer's thread has had the disk write it. What a power
cut tears is no whole line of JSON and is known by that.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pantel_device.atomic_file import sync_to_disk
from pantel_device.command import CommandError
from pantel_device.receiving.sink import SenderName
from pantel_device.state_lock import take_lock, unusable
from pantel_link.record_file import Trouble

__all__ = ["MOST_ALARMS", "AlarmQueue", "WaitingAlarm"]

log = logging.getLogger(__name__)

MOST_ALARMS = 1000
"""So many alarms wait, at most about 4 MB of a disk; of more, the oldest are dropped."""
_MAX_RECORD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class WaitingAlarm:
    """An alarm that has not been delivered.

    Attributes:
        number: Its place in the queue; later ones have higher numbers.
        alarm_id: The same for ever, by which a consumer knows an alarm that comes twice.
        sender: Who has raised it.
        body: The alarm, a JSON object.
    """

    number: int
    alarm_id: str
    sender: SenderName
    body: bytes


class AlarmQueue:
    """Alarms in the order in which they came, over outages and restarts, for one consumer.

    The receiver's thread puts, the consumer's takes. A full disk passes: alarms wait in memory until there is room.

    Args:
        folder: Of the alarms; made when missing.
        most: How many may wait.

    Attributes:
        dropped: Alarms that had to make room for newer ones.
        came: Set when an alarm has come; who waits for it clears it.

    Raises:
        CommandError: The folder cannot be used, or another receiver uses it.
    """

    def __init__(self, folder: Path, most: int = MOST_ALARMS) -> None:
        self.dropped = 0
        self.came = threading.Event()
        self._folder = folder
        self._most = most
        self._guard = threading.Lock()
        self._settling = threading.Lock()
        self._waiting: OrderedDict[int, WaitingAlarm] = OrderedDict()
        self._unwritten: set[int] = set()
        self._unsynced: set[int] = set()
        self._trouble = Trouble(str(folder))
        self._overflowing = False
        self._lock = take_lock(folder, "another receiver")
        try:
            folder.mkdir(exist_ok=True)
            self._load()
        except OSError as error:
            self._lock.close()
            raise CommandError(unusable(folder, error)) from error
        self._next = max(self._waiting, default=0) + 1

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, alarm_id: str, sender: SenderName, record: Mapping[str, object]) -> None:
        """Let an alarm wait; never waits itself.

        Args:
            alarm_id: Nothing else's, ever.
            sender: Who has raised it.
            record: What is delivered, besides its ``id``.
        """
        told = {"id": alarm_id, "callsign": sender.callsign, "sender": sender.number, **record}
        body = json.dumps(told).encode()
        with self._guard:
            alarm = WaitingAlarm(self._next, alarm_id, sender, body)
            self._next += 1
            self._waiting[alarm.number] = alarm
            while len(self._waiting) > self._most:
                self._drop_oldest()
            self._note(alarm, self._write(alarm))
        self.came.set()

    def first(self) -> WaitingAlarm | None:
        """Return the alarm that waits longest; None for none."""
        with self._guard:
            return next(iter(self._waiting.values()), None)

    def remove(self, alarm: WaitingAlarm) -> None:
        """Remove an alarm that has been delivered."""
        with self._guard:
            self._forget(alarm.number)
            if not self._waiting and self._overflowing:
                self._overflowing = False
                log.info("all waiting alarms delivered folder=%s dropped=%d", self._folder, self.dropped)

    def settle(self) -> None:
        """Have the disk write what came lately, on the consumer's thread: it may take its time."""
        with self._settling:
            self._write_the_rest()
            with self._guard:
                numbers = tuple(self._unsynced)
                self._unsynced.clear()
            if not numbers:
                return
            try:
                for path in [*(self._path(number) for number in numbers), self._folder]:
                    with suppress(FileNotFoundError):  # delivered or dropped meanwhile
                        sync_to_disk(path)
            except OSError as error:
                self._trouble.begin(error)

    def close(self) -> None:
        """Let another receiver use the folder; what waits stays there."""
        self.settle()
        self._lock.close()

    def _write_the_rest(self) -> None:
        """Write what had no room, until there is none again; unguarded, so that who puts an alarm does not wait."""
        error = None
        while error is None:
            with self._guard:
                if not self._unwritten:
                    return
                alarm = self._waiting[min(self._unwritten)]
            error = self._write(alarm)
            with self._guard:
                if alarm.number in self._waiting:
                    self._note(alarm, error)
                else:  # dropped meanwhile
                    self._forget(alarm.number)

    def _write(self, alarm: WaitingAlarm) -> OSError | None:
        """Write an alarm; return why there was no room, None if there was."""
        path = self._path(alarm.number)
        try:
            path.write_bytes(alarm.body + b"\n")
        except OSError as error:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return error
        return None

    def _note(self, alarm: WaitingAlarm, error: OSError | None) -> None:
        """Note whether an alarm has been written."""
        if error is not None:
            self._unwritten.add(alarm.number)
            self._trouble.begin(error)
            return
        self._unwritten.discard(alarm.number)
        self._unsynced.add(alarm.number)
        if not self._unwritten:
            self._trouble.end()

    def _drop_oldest(self) -> None:
        self._forget(next(iter(self._waiting)))
        self.dropped += 1
        if not self._overflowing:
            self._overflowing = True
            log.error("alarms are dropped, the oldest first folder=%s: %d wait already", self._folder, self._most)

    def _forget(self, number: int) -> None:
        self._waiting.pop(number, None)
        self._unwritten.discard(number)
        self._unsynced.discard(number)
        try:
            self._path(number).unlink(missing_ok=True)
        except OSError as error:
            self._trouble.begin(error)

    def _load(self) -> None:
        """Read what an earlier run has left; what is damaged is removed."""
        for path in sorted(self._folder.glob("*.json")):
            if not path.stem.isdecimal():
                continue
            alarm = _read(path)
            if alarm is None:
                log.warning("a waiting alarm is damaged and was removed path=%s", path)
                path.unlink(missing_ok=True)
            else:
                self._waiting[alarm.number] = alarm
        if self._waiting:
            log.info("alarms wait from an earlier run folder=%s alarms=%d", self._folder, len(self._waiting))

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012d}.json"


def _read(path: Path) -> WaitingAlarm | None:
    """Return the alarm of a file; None if it is none, or not whole."""
    try:
        with path.open("rb") as file:
            line = file.read(_MAX_RECORD_BYTES + 1)
        record = json.loads(line)
        alarm_id, sender = str(record["id"]), SenderName(str(record["callsign"]), int(record["sender"]))
    except (ValueError, RecursionError, TypeError, KeyError):
        return None
    if not line.endswith(b"}\n"):
        return None
    return WaitingAlarm(int(path.stem), alarm_id, sender, line[:-1])
