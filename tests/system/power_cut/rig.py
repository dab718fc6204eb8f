"""A sender and a receiver that are killed at random moments, and what must be true of their files then."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import av
from tests.system.power_cut.nursery import Nursery, Programs
from tests.system.power_cut.tapped_line import TappedLine

from pantel_device.command import CommandError
from pantel_device.outbox import LINES, Outbox
from pantel_device.pictures import read_picture
from pantel_device.receiving.stream_memory import StreamMemoryFile
from pantel_device.recordings import Recording, recordings_in
from pantel_device.recordings.repair import whole_octets
from pantel_device.sending.boot_epoch import begin_epochs
from pantel_link import new_master_key, write_key
from pantel_link.captures import CapturedCodeword, read_capture
from pantel_link.stills import StillStore
from pantel_models import decode_still

__all__ = ["Rig"]

_CALLSIGN, _NUMBER = "K1ABC/P", 5
_BITRATE_BPS = 10_000
_LONGEST_START_S = 60.0
_DRAIN_NS = 30_000_000


@dataclass
class Daemon:
    """One of the two.

    Attributes:
        argv: Its command line.
        log: Where it logs.
        says: What it logs once it works.
        life_s: How long it may live from then on.
        start_s: How long it takes to get there.
        process: Number of its process; 0 while there is none.
        dies_ns: When it is killed.
        kills: How often it was.
        refusals: How often it ended by itself, because the disk was full.
    """

    argv: list[str]
    log: Path
    says: str
    life_s: float
    start_s: float = 0.0
    process: int = 0
    dies_ns: int = 0
    kills: int = 0
    refusals: int = 0


class Rig:
    """A mast and a home on one disk, with all that they can write switched on.

    Args:
        folder: On the disk; empty.
        logs: Elsewhere.
        nursery: Starts daemons.
        seed: Of the moments at which they are killed.
        fills_up: Whether somebody else fills the disk now and then.
    """

    def __init__(
        self, folder: Path, logs: Path, nursery: Nursery | Programs, seed: int, *, fills_up: bool = False
    ) -> None:
        self._nursery = nursery
        self._random = random.Random(seed)
        self._ballast = folder / "ballast" if fills_up else None
        self._mast, self._home = folder / "mast", folder / "home"
        self._mast.mkdir()
        self._home.mkdir()
        master = new_master_key()
        key = master.sender_key(_NUMBER, _CALLSIGN)
        write_key(folder / "home.key", master)
        write_key(folder / "mast.key", key)
        self._epoch_file = begin_epochs(self._mast / "state", key)
        self.line = TappedLine(master, _BITRATE_BPS)
        self._outbox = Outbox(self._mast / "state" / LINES)
        self.lines: set[str] = set()
        near, far = self.line.urls
        (folder / "sender.toml").write_text(_sender_config(self._mast, folder / "mast.key", near))
        (folder / "receiver.toml").write_text(_receiver_config(self._home, folder / "home.key", far))
        self._unchanged = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        self.sender = Daemon(
            ["send", "--config", str(folder / "sender.toml")], logs / "sender.log", "sending port=", life_s=0.9
        )
        self.receiver = Daemon(
            ["receive", "--config", str(folder / "receiver.toml")], logs / "receiver.log", "receiving port=", life_s=2.2
        )
        self.epochs: list[int] = []
        self._stored_epoch = 0
        self._decoded: set[Path] = set()
        self.pictures = 0
        self.stills = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in (self.sender, self.receiver):
            if daemon.process:  # the test has failed
                os.kill(daemon.process, signal.SIGKILL)
                self._nursery.wait(daemon.process)
        self.line.close()

    def kill(self, times: int) -> None:
        """Let both work, and kill now the one and now the other, so many times in all."""
        both = (self.sender, self.receiver)
        for daemon in both:
            self._start(daemon, measured=True)
        while sum(daemon.kills for daemon in both) < times:
            daemon = min(both, key=lambda each: each.dies_ns)
            self.line.carry(daemon.dies_ns)
            self._end(daemon)
            self.check()
            self._fill_or_free()
            self._start(daemon)

    def end(self) -> None:
        """Kill both, let both start once more with room on the disk and end in order; then look at everything."""
        for daemon in (self.sender, self.receiver):
            self._end(daemon)
        if self._ballast is not None:
            self._ballast.unlink(missing_ok=True)
        for daemon in (self.sender, self.receiver):
            self._start(daemon, measured=True)
        self._until_they_have_worked()
        for daemon in (self.sender, self.receiver):
            os.kill(daemon.process, signal.SIGTERM)
            code = self._nursery.wait(daemon.process)
            daemon.process = 0
            assert code == 0, daemon.log.read_text()[-2000:]
        self.check()
        self._check_all()

    def _until_they_have_worked(self) -> None:
        """Wait for a picture that the receiver has drawn of what the sender has told now."""
        picture = self._home / "newest.png"
        before = picture.stat().st_mtime_ns if picture.exists() else 0
        patience_ns = time.monotonic_ns() + round(_LONGEST_START_S * 1e9)
        while not (self.line.epochs and picture.exists() and picture.stat().st_mtime_ns > before):
            assert time.monotonic_ns() < patience_ns, self.receiver.log.read_text()[-2000:]
            self.line.carry(time.monotonic_ns() + 100_000_000)

    def check(self) -> None:
        """Assert what must be true whenever one of the two is dead."""
        for path, octets in self._unchanged.items():
            assert path.read_bytes() == octets, path
        stored = int(self._epoch_file.read_text())
        assert stored >= self._stored_epoch
        self._stored_epoch = stored
        for folder in (self._mast / "ring", self._home / "recordings"):
            for recording in recordings_in(folder) if folder.exists() else ():
                if recording.path not in self._decoded:
                    self._decode(recording)

    def _start(self, daemon: Daemon, *, measured: bool = False) -> None:
        if daemon is self.sender:
            self.line.begin_life()
            self._leave_line()
        daemon.log.touch()
        offset = daemon.log.stat().st_size
        began_ns = time.monotonic_ns()
        daemon.process = self._nursery.start(daemon.argv, daemon.log)
        if measured:
            while daemon.says not in daemon.log.read_text()[offset:]:
                assert time.monotonic_ns() - began_ns < _LONGEST_START_S * 1e9, daemon.log.read_text()[-2000:]
                self.line.carry(time.monotonic_ns() + 5_000_000)
            daemon.start_s = (time.monotonic_ns() - began_ns) / 1e9
        daemon.dies_ns = began_ns + round(self._random.uniform(0, daemon.start_s + daemon.life_s) * 1e9)

    def _end(self, daemon: Daemon) -> None:
        os.kill(daemon.process, signal.SIGKILL)
        code = self._nursery.wait(daemon.process)
        daemon.process = 0
        log = daemon.log.read_text()
        assert "Traceback" not in log, log[-3000:]
        if code == -signal.SIGKILL:
            daemon.kills += 1
        else:
            assert self._ballast is not None, (code, log[-2000:])
            assert code == 1, log[-2000:]
            assert "No space left on device" in log.splitlines()[-1]
            daemon.refusals += 1
        if daemon is self.sender:
            self.line.carry(time.monotonic_ns() + _DRAIN_NS)  # what was on its way
            self._take_epoch()

    def _take_epoch(self) -> None:
        """Assert that the sender has introduced itself with one epoch at most, which is new and on the disk."""
        assert len(self.line.epochs) <= 1
        for epoch in self.line.epochs:
            assert epoch > max(self.epochs, default=0)
            assert epoch == int(self._epoch_file.read_text())
            self.epochs.append(epoch)

    def _leave_line(self) -> None:
        """Leave a line for the sender, as `pantel say` does."""
        text = f"line {len(self.lines)}"
        try:
            self._outbox.put(text)
        except CommandError:
            if self._ballast is None:
                raise
        else:
            self.lines.add(text)

    def _fill_or_free(self) -> None:
        """Fill the disk, or free it again."""
        if self._ballast is None or self._random.random() < 0.5:
            return
        if self._ballast.exists():
            self._ballast.unlink()
            return
        with self._ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(65536)):
                pass
        assert shutil.disk_usage(self._ballast.parent).free == 0

    def _decode(self, recording: Recording) -> None:
        """Assert that a recording plays up to the end of its last whole fragment."""
        octets = recording.path.read_bytes()
        whole = whole_octets(io.BytesIO(octets))
        assert (recording.callsign, recording.number) == ("K1ABC_P", _NUMBER)
        if whole:
            with av.open(io.BytesIO(octets[:whole]), "r") as container:
                pictures = [frame.pts or 0 for frame in container.decode(video=0)]
            assert pictures == sorted(set(pictures))
            assert pictures
            self.pictures += len(pictures)
        if octets[-12:-8] == b"mfro":  # it will not grow any more
            self._decoded.add(recording.path)

    def _check_all(self) -> None:
        """Assert what must be true after both have started once more and ended in order."""
        assert not list(self._mast.parent.rglob(".*.part"))
        memory = StreamMemoryFile(self._home / "state" / "senders.json")
        epoch, counter = memory.recall(_NUMBER, _CALLSIGN) or (0, 0)
        memory.release()
        assert {epoch} == self.line.epochs
        assert counter > 0
        for recording in [*recordings_in(self._mast / "ring"), *recordings_in(self._home / "recordings")]:
            with recording.path.open("rb") as file:
                assert whole_octets(file) > 0
        StillStore(self._home / "state" / "stills").load()
        stills = list((self._home / "stills").glob("*.ptl"))
        for path in stills:
            assert decode_still(path.read_bytes()).pixels.shape == (48, 64, 3)
            assert read_picture(path.with_suffix(".png")).shape == (48, 64, 3)
        assert read_picture(self._home / "newest.png").shape == (48, 64, 3)
        self.stills = len(stills)
        assert self.lines == self.line.texts | {text for _, text in self._outbox.waiting()}
        for folder in (self._mast, self._home):
            codewords = [each for path in folder.glob("line*.pcapng") for each in read_capture(path)]
            assert any(isinstance(each, CapturedCodeword) for each in codewords)
        self._check_events()

    def _check_events(self) -> None:
        """Assert that every line is one, but for those that a kill has cut off."""
        cut_off = 0
        for line in (self._home / "events.jsonl").read_text().splitlines():
            try:
                assert "kind" in json.loads(line)
            except ValueError:
                cut_off += 1
        assert cut_off <= self.receiver.kills


def _sender_config(mast: Path, key: Path, port: str) -> str:
    return _toml(
        port=port,
        bitrate_bps=_BITRATE_BPS,
        camera="test:3",
        size_px="64x48",
        fps=30,
        idle_fps=30,
        detector="none",
        callsign=_CALLSIGN,
        sender=_NUMBER,
        key_file=str(key),
        state_dir=str(mast / "state"),
        telemetry_interval_s=0.5,
        still_interval_s=0.4,
        still_bytes=200,
        capture=str(mast / "line.pcapng"),
        capture_max_bytes=20_000,
        capture_quota_bytes=100_000,
        ring=str(mast / "ring"),
        ring_quota_bytes=1_000_000,
        ring_fps=30,
    )


def _receiver_config(home: Path, key: Path, port: str) -> str:
    return _toml(
        port=port,
        bitrate_bps=_BITRATE_BPS,
        picture=str(home / "newest.png"),
        picture_interval_s=0.1,
        playout_delay_s=0.1,
        events=str(home / "events.jsonl"),
        stills=str(home / "stills"),
        stills_quota_bytes=1_000_000,
        key_file=str(key),
        state_dir=str(home / "state"),
        capture=str(home / "line.pcapng"),
        capture_max_bytes=20_000,
        capture_quota_bytes=100_000,
        recordings=str(home / "recordings"),
        recordings_quota_bytes=1_000_000,
        recording_segment_s=10,
    )


def _toml(**values: str | float) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
