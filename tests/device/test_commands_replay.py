"""`pantel replay`: a new process that has nothing but the capture shows the pictures that the live receiver showed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from tests.album import Album
from tests.firmware_link import golden_capture

from pantel_device.cameras import open_camera
from pantel_device.cli import main
from pantel_device.observer import MotionDetector, Observer
from pantel_device.pictures import picture_hash
from pantel_device.receiving import receiver
from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.replay import replay
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_device.sending.sender import Sender
from pantel_device.sending.stream import stream_context
from pantel_link import (
    ChannelSettings,
    HeardCodeword,
    Keyring,
    LinkReceiver,
    LinkSender,
    NullModem,
    Security,
    VirtualClock,
    new_master_key,
    write_key,
)
from pantel_link.captures import CapturedCodeword, CaptureEnd, CaptureHeader, CaptureWriter, read_capture
from pantel_models import Artefact, ManifestError, View, find_artefact, load_scene_codec

_S = 1_000_000_000
_SIZE_PX = (96, 64)
_START_NS = 5 * _S + 12_345_678  # display instants lie between the steps of the live loop
_STEP_NS = 13_000_000
_SECONDS = 6


@dataclass(frozen=True)
class _Live:
    """A live run: its capture, and what the receiver drew."""

    capture: Path
    hashes: dict[int, str]


def _run_live(path: Path, *, step_ns: int = _STEP_NS) -> _Live:
    """Send the test scene over a bad line, as a receiver that is advanced every `step_ns` hears it."""
    clock = VirtualClock(_START_NS)
    modem = NullModem(clock, ChannelSettings(bit_error_rate=1e-3, loss=0.05, seed=3))
    codec = load_scene_codec(find_artefact())
    context = stream_context(codec.artefact, callsign="DK1AB", epoch=7, size_px=_SIZE_PX)
    sender = Sender(
        camera=open_camera("test:1", _SIZE_PX, 10),
        observer=Observer(MotionDetector()),
        encoder=SceneEncoder(codec, _SIZE_PX),
        link=LinkSender(context, now_ns=_START_NS),
        port=modem.near,
    )
    album = Album()
    writer = CaptureWriter(path, CaptureHeader(playout_delay_ns=_S // 2, clock_offset_ns=1_700_000_000 * _S))
    listening = Receiver(port=modem.far, link=LinkReceiver(listener=writer), sinks=[album], playout_delay_ns=_S // 2)
    for time_ns in range(_START_NS, _START_NS + _SECONDS * _S, _STEP_NS):
        clock.advance_to(time_ns)
        sender.advance(time_ns)
        if (time_ns - _START_NS) % step_ns == 0:
            listening.advance(time_ns)
    writer.close(clock.now_ns())
    return _Live(path, album.hashes)


def _documented_keys() -> set[str]:
    """Return what docs/reports.md names in its section on replays."""
    page = Path(__file__).parents[2] / "docs" / "reports.md"
    return set(page.read_text().split("## `pantel replay`")[1].split("\n## ")[0].split("`")[1::2])


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> _Live:
    return _run_live(tmp_path_factory.mktemp("live") / "line.pcapng")


def test_a_new_process_draws_the_same_pictures_for_the_same_instants(live: _Live, tmp_path: Path) -> None:
    program = "import sys; from pantel_device.cli import main; sys.exit(main())"
    report, frames, video = tmp_path / "report.json", tmp_path / "frames", tmp_path / "line.mp4"
    command = [sys.executable, "-c", program, "replay", str(live.capture), "--view", "faithful"]
    command += ["--report", str(report), "--frames", str(frames), "--video", str(video)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    told = json.loads(report.read_text())
    assert {entry["time_ns"]: entry["sha256"] for entry in told["pictures"]} == live.hashes
    assert len(live.hashes) > 40
    assert all(time_ns % (_S // 10) == 0 for time_ns in live.hashes)
    (run,) = told["runs"]
    assert run["pictures"] == len(live.hashes)
    assert run["packets_good"] > 8
    assert f"{run['packets_good']} packets, {run['packets_lost']} lost, {len(live.hashes)} pictures" in done.stdout
    documented = _documented_keys()
    assert set(told) <= documented
    assert told["alarms"] == []
    assert {"capture", "seconds", "codewords", "pictures", "payloads_damaged"} <= set(run) & documented
    assert set(told["pictures"][0]) <= documented
    paths = sorted(frames.iterdir())
    assert [path.name for path in paths] == [f"{number:06d}.png" for number in range(len(live.hashes))]
    last = np.asarray(cv2.imread(str(paths[-1]), cv2.IMREAD_COLOR_RGB), np.uint8)
    assert picture_hash(last) == told["pictures"][-1]["sha256"]
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (96, 64)
        assert stream.average_rate == 10
        assert sum(1 for _ in container.decode(stream)) == len(live.hashes)


def test_a_view_is_another_painting_of_the_same_scene(
    live: _Live,
    two_views: Artefact,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receiver, "find_artefact", lambda **_: two_views)
    hashes = {}
    for view in ("", "faithful", "perceptual"):
        report = tmp_path / f"{view}.json"
        options = ["--view", view] if view else []
        assert main(["replay", str(live.capture), *options, "--report", str(report)]) == 0
        pictures = json.loads(report.read_text())["pictures"]
        hashes[view] = {entry["time_ns"]: entry["sha256"] for entry in pictures}
    assert hashes["faithful"] == live.hashes
    assert hashes[""] == hashes["perceptual"]
    assert hashes["perceptual"].keys() == live.hashes.keys()
    assert not set(hashes["perceptual"].values()) & set(live.hashes.values())
    album = Album()
    list(replay(read_capture(live.capture), [album], view=View.PERCEPTUAL))
    assert album.hashes == hashes["perceptual"]


def test_a_receiver_that_was_too_busy_drew_some_of_the_same_pictures(tmp_path: Path) -> None:
    busy = _run_live(tmp_path / "busy.pcapng", step_ns=25 * _STEP_NS)  # 325 ms
    album = Album()
    assert len(list(replay(read_capture(busy.capture), [album]))) == 1
    assert 10 < len(busy.hashes) < len(album.hashes)
    assert busy.hashes.items() <= album.hashes.items()


def test_without_an_end_it_goes_on_until_all_is_shown(live: _Live) -> None:
    album = Album()
    events = [event for event in read_capture(live.capture) if not isinstance(event, CaptureEnd)]
    (run,) = replay(events, [album])
    assert isinstance(events[-1], CapturedCodeword)
    assert album.pictures[-1].time_ns >= events[-1].arrival_ns + _S // 2 - _S // 10
    assert run.codewords == len(events) - 1


def test_every_section_is_a_receiver_of_its_own(live: _Live) -> None:
    album = Album()
    events = list(read_capture(live.capture))
    first, second = replay(events + events, [album])
    assert first == second
    assert len(album.pictures) == 2 * len(live.hashes)


def test_alarms_are_told_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By a mast whose model is not here: an alarm needs none."""
    report = tmp_path / "report.json"
    assert main(["replay", str(golden_capture.PATH), "--report", str(report)]) == 1
    (alarm,) = json.loads(report.read_text())["alarms"]
    assert (alarm["run"], alarm["callsign"], alarm["number"], alarm["phase"]) == (0, "DK1AB-7", 200, "began")
    assert (alarm["class"], alarm["left_px"], alarm["bottom_px"]) == ("person", 64, 240)
    assert alarm["zone"] == "Zufahrt Süd, am großen "  # as much as a packet holds
    assert alarm["time_ns"] / _S - alarm["happened_monotonic_s"] == pytest.approx(alarm["age_s"], abs=0.05)
    assert set(alarm) <= _documented_keys()
    assert caplog.text.count("alarm callsign=DK1AB-7 sender=5 number=200") == 1


def test_a_long_silence_is_skipped(live: _Live) -> None:
    header, *rest = read_capture(live.capture)
    codewords = [event for event in rest if isinstance(event, CapturedCodeword)]
    year_ns = 365 * 86400 * _S
    late = [CapturedCodeword(each.octets, each.arrival_ns + year_ns, "") for each in codewords]
    early = [CapturedCodeword(codewords[-1].octets, 0, "")]  # an edited file: time goes back
    album = Album()
    (run,) = replay([header, *codewords, *late, *early], [album])
    assert run.codewords == 2 * len(codewords) + 1
    assert run.seconds == pytest.approx(year_ns / _S, rel=1e-3)
    assert 600 < len(album.pictures) < 1000


def test_codewords_before_any_header_are_nobodys() -> None:
    assert list(replay([CapturedCodeword(bytes(48), 0, ""), CaptureEnd(5)], [])) == []


def test_a_capture_in_which_nothing_was_heard(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "silence.pcapng"
    CaptureWriter(path, CaptureHeader()).close(9 * _S)
    assert main(["replay", str(path), "--video", str(tmp_path / "a.mp4")]) == 0
    assert "0 codewords, 0 packets, 0 lost, 0 pictures" in capsys.readouterr().out
    assert [each.name for each in tmp_path.iterdir()] == ["silence.pcapng"]


def test_what_a_sender_has_captured_cannot_be_received(
    live: _Live, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, report = tmp_path / "sent.pcapng", tmp_path / "report.json"
    writer = CaptureWriter(path, CaptureHeader())
    context = stream_context(find_artefact(), callsign="DK1AB", epoch=7, size_px=_SIZE_PX)
    LinkSender(context, now_ns=0, listener=writer).due(0)  # it introduces itself
    writer.close(2 * _S)
    said = f"pantel: warning: {path} holds only what was sent; replay what a receiver has recorded\n"
    for options in ([], ["--merge"], ["--loss", "0.5"]):
        assert main(["replay", str(path), *options]) == 1
        assert capsys.readouterr() == ("", said)
    assert main(["replay", str(path), str(live.capture), "--report", str(report)]) == 0
    assert capsys.readouterr().err.endswith(said)
    assert [run["capture"] for run in _runs(report)] == [str(live.capture)]


def test_a_capture_that_is_cut_off_warns_and_shows_what_it_has(
    live: _Live, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.pcapng"
    path.write_bytes(live.capture.read_bytes()[:-100])
    assert main(["replay", str(path)]) == 0
    assert "capture ends early" in caplog.text
    assert "pictures" in capsys.readouterr().out


def test_mistakes_are_one_line(live: _Live, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("no capture")
    cases = [
        ([str(tmp_path / "missing.pcapng")], 1, "missing.pcapng: No such file or directory; name a file that"),
        ([str(tmp_path)], 2, "a folder of captures becomes tables; name a folder for them with --results DIR"),
        ([str(tmp_path / "full" / "a.txt")], 1, "is no capture: not a pcapng file"),
        ([str(live.capture), "--frames", str(tmp_path / "full")], 2, "is not empty"),
        ([str(live.capture), "--frames", str(live.capture)], 2, "cannot make the folder"),
        ([str(live.capture), "--report", str(tmp_path / "nowhere" / "a.json")], 2, "there is no folder"),
        ([str(live.capture), "--view", "pretty"], 2, "argument --view: invalid choice: 'pretty' (choose from"),
        ([str(live.capture), "--loss", "1"], 2, "argument --loss: 1 is no share; write a number from 0 to below 1"),
        ([str(live.capture), "--ber", "few"], 2, "argument --ber: few is no share; write a number from 0 to below 1"),
        ([str(live.capture), "--key", str(tmp_path / "key")], 2, "cannot read the key"),
        ([str(live.capture), *(f"--{kind}={tmp_path / 'a'}" for kind in ("video", "report"))], 2, "two results would"),
        ([""], 2, "argument CAPTURE: the name is empty; name a file"),
        ([], 2, "the following arguments are required: CAPTURE"),
    ]
    for arguments, code, says in cases:
        assert main(["replay", *arguments]) == code
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert says in err


def test_what_a_daemon_captures_is_what_it_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [
        "receive",
        "--port=pty:",
        "--seconds=0.1",
        "--picture=",
        "--events=",
        "--web=",
        "--capture=line.pcapng",
    ]
    assert main([*arguments, "--playout-delay-s=2"]) == 0
    assert main(arguments) == 0
    header, end, again, _ = read_capture(Path("line.pcapng"))
    assert isinstance(header, CaptureHeader)
    assert isinstance(again, CaptureHeader)
    assert (header.playout_delay_ns, again.playout_delay_ns) == (2 * _S, 1.5 * _S)
    assert header.clock_offset_ns > 1_700_000_000 * _S
    assert isinstance(end, CaptureEnd)
    Path("diary.txt").write_text("Dear diary")
    assert main([*arguments[:-1], "--capture=diary.txt"]) == 2
    assert main([*arguments[:-1], "--capture=nowhere/line.pcapng"]) == 2


def test_the_listener_of_a_capture_never_raises(tmp_path: Path) -> None:
    writer = CaptureWriter(tmp_path / "a.pcapng", CaptureHeader())
    writer.on_codeword(HeardCodeword(b"", -5, None, None, "x"))
    writer.close(-1)
    assert len(list(read_capture(tmp_path / "a.pcapng"))) == 3


def test_a_capture_of_a_model_that_is_not_installed_says_so(
    live: _Live, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none_installed(**_: str) -> Artefact:
        raise ManifestError("no model hash 721c is installed, only other-v1; install the pantel version that made it")

    monkeypatch.setattr(receiver, "find_artefact", none_installed)
    assert main(["replay", str(live.capture)]) == 1
    out, err = capsys.readouterr()
    assert " 0 pictures" in out
    assert err.splitlines()[-1].startswith("pantel: warning: no model hash 721c is installed")


def _runs(path: Path) -> list[dict[str, object]]:
    runs: list[dict[str, object]] = json.loads(path.read_text())["runs"]
    return runs


def test_a_worse_line_is_the_same_every_time(live: _Live, tmp_path: Path) -> None:
    reports = [tmp_path / f"{number}.json" for number in range(3)]
    for report, seed in zip(reports, ("1", "1", "2"), strict=True):
        arguments = ["--loss", "0.3", "--ber", "0.001", "--seed", seed, "--report", str(report)]
        assert main(["replay", str(live.capture), *arguments]) == 0
    first, again, other = (report.read_text() for report in reports)
    assert first == again != other
    assert main(["replay", str(live.capture), "--report", str(tmp_path / "live.json")]) == 0
    (worse,), (before,) = _runs(reports[0]), _runs(tmp_path / "live.json")
    assert isinstance(worse["packets_good"], int)
    assert worse["packets_good"] < before["packets_good"]  # type: ignore[operator]


def test_receivers_of_one_transmission_are_one_run(live: _Live, tmp_path: Path) -> None:
    header, *events = read_capture(live.capture)
    assert isinstance(header, CaptureHeader)
    codewords = [event for event in events if isinstance(event, CapturedCodeword)]
    halves = [tmp_path / "even.pcapng", tmp_path / "odd.pcapng"]
    for number, path in enumerate(halves):
        writer = CaptureWriter(path, header)
        for codeword in codewords[number::2]:
            writer.on_codeword(HeardCodeword(codeword.octets, codeword.arrival_ns, None, None, "x"))
        end = events[-1]
        assert isinstance(end, CaptureEnd)
        writer.close(end.time_ns)
    report = tmp_path / "merged.json"
    arguments = ["--merge", "--view", "faithful", "--report", str(report)]
    assert main(["replay", str(halves[1]), str(halves[0]), *arguments]) == 0
    told = json.loads(report.read_text())
    assert {entry["time_ns"]: entry["sha256"] for entry in told["pictures"]} == live.hashes
    assert [run["capture"] for run in told["runs"]] == [f"{halves[1]} + {halves[0]}"]
    CaptureWriter(tmp_path / "timeless.pcapng", CaptureHeader()).close(1)
    assert main(["replay", "--merge", str(halves[0]), str(tmp_path / "timeless.pcapng")]) == 1


def test_a_capture_of_a_sender_with_a_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = new_master_key()
    write_key(tmp_path / "master.key", key)
    context = stream_context(
        find_artefact(), callsign="DK1AB", epoch=7, size_px=_SIZE_PX, security=Security.AUTHENTICATED
    )
    path = tmp_path / "line.pcapng"
    writer = CaptureWriter(path, CaptureHeader())
    receiving = LinkReceiver(listener=writer, keyring=Keyring(key))
    sender = LinkSender(context, now_ns=0, key=key.sender_key(0, "DK1AB"))
    for now_ns in range(0, 2 * _S, _S // 20):
        while chunk := sender.due(now_ns):
            receiving.receive(chunk, now_ns)
    writer.close(2 * _S)
    assert main(["replay", str(path)]) == 1
    out, err = capsys.readouterr()
    assert "1 codewords, 0 packets" in out
    assert "sender 0, DK1AB, is authenticated, and its key is not here: name it with --key" in err
    assert main(["replay", str(path), "--key", str(tmp_path / "master.key")]) == 0
    assert "1 codewords, 1 packets" in capsys.readouterr().out


def test_with_a_key_who_has_none_is_not_believed(
    live: _Live, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_key(tmp_path / "master.key", new_master_key())
    assert main(["replay", str(live.capture), "--key", str(tmp_path / "master.key")]) == 1
    assert "has no key, so it is not believed while one is named" in capsys.readouterr().err


def test_what_a_daemon_captures_is_kept_within_its_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        writer = CaptureWriter(Path("line.pcapng"), CaptureHeader())
        for _ in range(100):
            writer.on_codeword(HeardCodeword(bytes(48), number, None, None, "x"))
        writer.close(1)
        Path("line.pcapng").rename(f"line.00000{number}.pcapng")
    arguments = [
        "receive",
        "--port=pty:",
        "--seconds=0.1",
        "--picture=",
        "--events=",
        "--web=",
        "--capture=line.pcapng",
    ]
    arguments.append(f"--state-dir={tmp_path / 'state'}")
    assert main([*arguments, "--capture-max-bytes=10000", "--capture-quota-bytes=30000"]) == 0
    assert sorted(path.name for path in tmp_path.glob("line*")) == ["line.000002.pcapng", "line.pcapng"]
