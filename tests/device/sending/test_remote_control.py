"""Mast and ground: what is asked for is done, and a setting that cuts the link is taken back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pantel_device.cli import main
from pantel_device.frame import Frame
from pantel_device.line_profile import line_profile
from pantel_device.outbox import COMMANDS, Outbox, attending
from pantel_device.receiving.ground import Ground, Request
from pantel_device.sending.airtime import NewsSource
from pantel_device.sending.remote_control import RemoteControl
from pantel_device.sending.still_sender import StillSender
from pantel_link import (
    Keyring,
    LinkReceiver,
    LinkSender,
    MasterKey,
    PacketKind,
    Port,
    Preset,
    ReceivedPacket,
    Security,
    StreamContext,
)
from pantel_link.back_channel import Acknowledge, AskStill, CommandListener, Region, Reply
from pantel_link.ports import memory_pair
from pantel_link.traffic import TrafficClass
from pantel_models import load_still_codec

_S = 1_000_000_000
_MASTER = MasterKey(bytes(range(32)))
_CONTEXT = StreamContext(3, "DL1ABC", 7, bytes(3), 64, 48, Security.AUTHENTICATED)


class _Encoder:
    """An encoder that only remembers what it is told."""

    def __init__(self) -> None:
        self.heard: list[Acknowledge] = []
        self.watched: list[tuple[Region, int]] = []

    def acknowledged(self, acknowledge: Acknowledge) -> None:
        self.heard.append(acknowledge)

    def watch(self, region: Region, until_ns: int) -> bool:
        self.watched.append((region, until_ns))
        return True


class _Mast:
    """A sender that says nothing but replies and stills."""

    def __init__(self, port: Port) -> None:
        key = _MASTER.sender_key(3, "DL1ABC")
        self.port = port
        self.link = LinkSender(_CONTEXT, now_ns=0, key=key)
        self.stills = StillSender(
            load_still_codec(),
            lambda: 109,
            still_bytes=64,
            interval_ns=None,
            loss=0.0,
            utc_s=lambda: None,
        )
        self.stills.look(Frame(0, 0, np.full((48, 64, 3), 90, np.uint8)))
        listener = CommandListener(_CONTEXT, key)
        self.encoder = _Encoder()
        self.control = RemoteControl(
            listener,
            self.link,
            self.stills,
            self.encoder,
            preset=Preset.STANDARD,
            profile=lambda preset: line_profile(port, preset),
        )

    def advance(self, now_ns: int, *, deaf: bool) -> None:
        octets = self.port.read(4096)
        if not deaf:
            self.control.hear(octets, now_ns, whole_packet=False)
        sources: list[NewsSource] = [self.control, self.stills]
        for source in sources:
            if source.wants(now_ns) in {TrafficClass.MESSAGE, TrafficClass.STILL} and self.link.ready(now_ns):
                news = source.take(now_ns)
                self.link.submit(news.kind, news.payload, self.link.stamp_ns(now_ns), news.length_class)
        while chunk := self.link.due(now_ns):
            self.port.write(chunk)


class _Pair:
    """A mast and its ground, joined by a perfect line that may be cut either way."""

    def __init__(self, state_dir: Path, *, acknowledge_s: int | None = None) -> None:
        near, self.far = memory_pair()
        self.mast = _Mast(near)
        self.link = LinkReceiver(keyring=Keyring(_MASTER))
        self.told: list[dict[str, str | int | float | None]] = []
        self.received: list[ReceivedPacket] = []
        self.ground = Ground(
            key=_MASTER,
            state_dir=state_dir,
            port=self.far,
            profile=line_profile(self.far, Preset.STANDARD),
            bitrate_bps=960,
            link=self.link,
            acknowledge_ns=None if acknowledge_s is None else acknowledge_s * _S,
        )
        self.now_ns = 0

    def run(self, seconds: float, *, mast_deaf: bool = False, ground_deaf: bool = False) -> None:
        end_ns = self.now_ns + round(seconds * _S)
        while self.now_ns < end_ns:
            self.now_ns += _S // 20
            self.mast.advance(self.now_ns, deaf=mast_deaf)
            octets = self.far.read(4096)
            for each in [] if ground_deaf else self.link.receive(octets, self.now_ns):
                self.received.append(each)
                self.ground.hear(each.context, each.packet.counter, self.now_ns)
                if each.packet.kind is PacketKind.REPLY:
                    fields = self.ground.take(Reply.from_payload(each.packet.payload), each.context)
                    self.told += [] if fields is None else [fields]
            self.told += self.ground.advance(self.now_ns)

    @property
    def kinds(self) -> set[PacketKind]:
        return {each.packet.kind for each in self.received}


def _ask(state_dir: Path, *arguments: str) -> None:
    with attending(state_dir / COMMANDS):
        assert main(["ask", *arguments, "--state-dir", str(state_dir)]) == 0


def test_a_still_comes_when_it_is_asked_for(tmp_path: Path) -> None:
    pair = _Pair(tmp_path)
    pair.run(5)
    assert PacketKind.STILL not in pair.kinds
    _ask(tmp_path, "still", "--region", "0,0,0.5,0.5")
    pair.run(10)
    assert PacketKind.STILL in pair.kinds
    assert [fields["outcome"] for fields in pair.told] == ["done"]


def test_a_setting_that_is_heard_is_kept(tmp_path: Path) -> None:
    pair = _Pair(tmp_path)
    _ask(tmp_path, "line", "--bitrate-bps", "480", "--preset", "heavy")
    pair.run(300)
    line = {"callsign": _CONTEXT.callsign, "sender": 3, "bitrate_bps": 480, "preset": "heavy"}
    assert pair.told == [
        line | {"command": "line", "asked_bitrate_bps": 480, "asked_preset": "heavy", "outcome": "on_trial"},
        line | {"command": "confirm", "outcome": "done"},
    ]
    assert json.loads(json.dumps(pair.told)) == pair.told  # no words of a programming language in it
    assert pair.mast.link.bitrate_bps == 480


@pytest.mark.parametrize("deaf", ["mast_deaf", "ground_deaf"])
def test_a_setting_that_cuts_the_link_is_taken_back(deaf: str, tmp_path: Path) -> None:
    pair = _Pair(tmp_path)
    _ask(tmp_path, "line", "--bitrate-bps", "480")
    while pair.mast.link.bitrate_bps == 960:
        pair.run(0.05)
    pair.run(180, **{deaf: True})
    assert pair.mast.link.bitrate_bps == 960
    pair.run(60)
    assert pair.mast.link.bitrate_bps == 960


def test_a_repeated_command_is_done_once_and_answered_again(tmp_path: Path) -> None:
    pair = _Pair(tmp_path)
    pair.run(2)
    _ask(tmp_path, "still")
    pair.run(12, ground_deaf=True)
    pair.run(60)
    assert [fields["outcome"] for fields in pair.told] == ["done"]
    assert len({each.packet.payload[0] for each in pair.received if each.packet.kind is PacketKind.STILL}) <= 1


def test_what_cannot_be_done_is_refused(tmp_path: Path) -> None:
    pair = _Pair(tmp_path)
    _ask(tmp_path, "line", "--bitrate-bps", "20")
    pair.run(30)
    assert [fields["outcome"] for fields in pair.told] == ["refused"]
    assert pair.mast.link.bitrate_bps == 960


def test_a_mast_that_does_not_answer_is_told(tmp_path: Path) -> None:
    pair = _Pair(tmp_path)
    pair.run(5)
    _ask(tmp_path, "still")
    pair.run(60, mast_deaf=True)
    assert pair.told == [
        {
            "callsign": _CONTEXT.callsign, "sender": 3, "command": "still", "still_bytes": 0, "region": None,
            "outcome": "no_answer",
        }
    ]  # fmt: skip


def test_a_request_whose_mast_is_not_heard_in_time_is_dropped_and_told(tmp_path: Path) -> None:
    pair = _Pair(tmp_path)
    _ask(tmp_path, "still", "--callsign", "k9gone", "--sender", "3", "--within", "30")
    _ask(tmp_path, "watch", "--callsign", "K9GONE", "--region", "0,0.25,0.5,1", "--within", "50")
    _ask(tmp_path, "line", "--preset", "heavy", "--within", "3600", "--callsign", "K9GONE")
    pair.run(25)
    assert pair.told == []
    pair.run(10)
    still = {"command": "still", "still_bytes": 0, "region": None, "outcome": "lapsed"}
    assert pair.told == [{"callsign": "K9GONE", "sender": 3, **still}]
    _ask(tmp_path, "still", "--sender", "9", "--within", "30")  # it has a time of its own
    pair.run(25)
    watch = {"command": "watch", "region": "0,0.25,0.5,1", "seconds": 60, "outcome": "lapsed"}
    assert pair.told[1:] == [watch]  # one to any mast names none
    pair.run(10)
    assert pair.told[2:] == [still]
    pair.run(600)
    assert len(pair.told) == 3
    ((_, waiting),) = Outbox(tmp_path / COMMANDS).waiting()
    assert Request.from_text(waiting).within_s == 3600


def test_requests_of_older_versions_lapse_as_others_do() -> None:
    text = '{"sender": null, "callsign": "", "still": {"still_bytes": 0, "region": null}}'
    assert Request.from_text(text) == Request(AskStill())
    assert Request(AskStill()).within_s == 3600


def test_a_region_is_watched_when_it_is_asked_for(tmp_path: Path) -> None:
    pair = _Pair(tmp_path)
    pair.run(5)
    _ask(tmp_path, "watch", "--region", "0.2,0.4,0.6,0.8", "--seconds", "90")
    pair.run(10)
    assert [fields["outcome"] for fields in pair.told] == ["done"]
    ((region, until_ns),) = pair.mast.encoder.watched
    assert region == Region(0.2, 0.4, 0.6, 0.8)
    assert 95 * _S < until_ns < 105 * _S
    _ask(tmp_path, "watch", "--seconds", "0")
    pair.run(10)
    assert pair.mast.encoder.watched[-1][1] <= pair.now_ns


def test_what_was_heard_is_acknowledged_beside_commands(tmp_path: Path) -> None:
    pair = _Pair(tmp_path, acknowledge_s=5)
    pair.run(2)
    assert not pair.mast.encoder.heard
    pair.run(2)
    assert len(pair.mast.encoder.heard) == 1  # the first one comes after half the time
    pair.run(10)
    _ask(tmp_path, "still")
    pair.run(30)
    assert [fields["outcome"] for fields in pair.told] == ["done"]
    heard = pair.mast.encoder.heard
    newest = [each.newest for each in heard]
    assert newest == sorted(set(newest))
    assert 2 <= len(heard) <= 9
    assert all(each.began == 0 and each.hears(0) is not False for each in heard)
    pair.run(20, ground_deaf=True)
    assert pair.mast.encoder.heard == heard  # there is nothing new


def test_what_is_lost_is_told_sooner(tmp_path: Path) -> None:
    pair = _Pair(tmp_path, acknowledge_s=20)
    pair.run(1)
    pair.ground.hear(_CONTEXT, 1, pair.now_ns)
    pair.mast.link.statistics.packets = 100  # more than it sends by itself
    pair.run(15)
    assert len(pair.mast.encoder.heard) == 1  # after half the time
    pair.run(2)
    pair.ground.hear(_CONTEXT, 50, pair.now_ns)
    pair.run(2)
    assert [each.newest for each in pair.mast.encoder.heard][1:] == [50]  # a quarter after the one before
    pair.ground.hear(_CONTEXT, 60, pair.now_ns)
    pair.run(2)
    assert len(pair.mast.encoder.heard) == 2
    pair.run(4)
    assert pair.mast.encoder.heard[-1].newest == 60


def test_nothing_is_acknowledged_unless_that_is_wanted(tmp_path: Path) -> None:
    pair = _Pair(tmp_path)
    pair.run(40)
    assert pair.mast.encoder.heard == []


def test_what_was_never_sent_cannot_have_been_heard(tmp_path: Path) -> None:
    pair = _Pair(tmp_path, acknowledge_s=5)
    pair.run(1)
    pair.ground.hear(_CONTEXT, 60_000, pair.now_ns)
    pair.run(10)
    assert pair.mast.encoder.heard == []


def test_mistakes_when_asking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["line"],
        ["line", "--bitrate-bps", "96000"],
        ["still", "--still-bytes", "99999"],
        ["watch", "--seconds", "-1"],
        ["still", "--within", "0"],
    ):
        assert main(["ask", *arguments, "--state-dir", str(tmp_path)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("pantel: ")
    assert list(tmp_path.iterdir()) == []
