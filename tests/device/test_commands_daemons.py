"""`pantel send` and `pantel receive`: mistakes end in one line before anything is sent or written."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.device.observer.fake_ximgproc import StructuredEdgeDetection, make_ximgproc, write_forest
from tests.device.observer.graphs import write_bright_finder

from pantel_codec import Background, Element, Knot, PoseElement, SceneSyntax, SpriteElement, Thumbnail, size_code
from pantel_device import wall_clock
from pantel_device.cli import main
from pantel_device.commands.send import _DatedSender, _encoder, _encoder_settings
from pantel_device.config import SenderConfig, load_config
from pantel_device.receiving import receiver, sinks
from pantel_device.recordings import recordings_in
from pantel_device.scene_encoding.contours.sketch_encoder import SketchEncoder
from pantel_device.scene_encoding.scene_encoder import SceneEncoder, SceneEncoderSettings
from pantel_device.sending.sender import Sender
from pantel_device.sending.stream import stream_context
from pantel_link import LinkSender, PacketKind, StreamContext, VirtualClock
from pantel_models import Artefact, SceneCodec, View, load_scene_codec

_Pantel = Callable[..., tuple[int, str]]

_DOGS = '[{"name": "gate", "kind": "alarm", "polygon": [[0, 0], [1, 0], [1, 1]], "classes": ["dog"]}]'


@pytest.fixture
def pantel(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Pantel:
    """Run a command in an empty folder; return exit code and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in [name for name in os.environ if name.startswith("PANTEL_")]:
        monkeypatch.delenv(name)

    def run(*argv: str) -> tuple[int, str]:
        code = main(argv)
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (("send", "--port", "/dev/ttyNONE"), 1, "cannot open port /dev/ttyNONE: there is no such device"),
        (("send", "--port", "warp://9"), 2, "cannot open port warp://9: "),
        (("send", "--port", "/dev/ttyNONE", "--bitrate-bps", "3000"), 2, "bitrate_bps = 3000 needs a line of 3750 Bd"),
        (("receive", "--port", "/dev/ttyNONE", "--bitrate-bps", "3000"), 2, "or bitrate_bps = 960"),
        (("receive", "--port", "pty:", "--acknowledge-s", "5"), 2, "acknowledge_s needs a back-channel"),
        (("send", "--port", "pty:", "--camera", "file:missing.mp4"), 2, "missing.mp4 does not exist"),
        (("send", "--port", "pty:", "--camera", "file:text.toml"), 2, "text.toml is neither a picture nor a clip"),
        (("send", "--port", "pty:", "--camera", "crystal:ball"), 2, "there is no camera 'crystal:ball'"),
        (("send", "--port", "pty:", "--camera", "test:seven"), 2, "the seed in test:seven is no number"),
        (("send", "--port", "pty:", "--camera", "v4l2:/dev/nowhere"), 1, "there is no camera /dev/nowhere; plug it in"),
        (("send", "--rotation", "45"), 2, "--rotation cannot be '45': Input should be 0, 90, 180 or 270"),
        (("send", "--crop", "0.5,0,0.6,1"), 2, "--crop cannot be '0.5,0,0.6,1': left, top, width and height"),
        (("send", "--port", "pty:", "--model", "scene-v0"), 2, "no model scene-v0 is installed"),
        (("send", "--port", "pty:", "--detector", "eyes.onnx"), 2, "or name default (the bundled one) or none (motion"),
        (("send", "--port", "pty:", "--detector", "text.toml"), 2, "name a whole ONNX file"),
        (
            ("send", "--port", "pty:", "--class-weights", "persn=0"),
            2,
            "class_weights names the class 'persn', which the",
        ),
        (("send", "--port", "pty:", "--zones", _DOGS), 2, "zone 'gate' names the class 'dog', which the detector does"),
        (
            ("send", "--port", "pty:", "--zones", _DOGS, "--detector", "none"),
            2,
            "but without a detector there are none",
        ),
        (("send", "--port", "pty:", "--key-file", "mast.key"), 2, "cannot read the key mast.key"),
        (("send", "--port", "pty:", "--mode", "sketch", "--edge-model", "forest.yml"), 2, "the edge model forest.yml "),
        (("send", "--port", "pty:", "--state-dir", "text.toml"), 1, "set state_dir to a folder that is yours"),
        (("send", "--config", "text.toml"), 2, "unknown key 'speed' in text.toml; known keys: port, "),
        (("send", "--config", "missing.toml"), 2, "cannot read the configuration missing.toml"),
        (("send", "--fps", "-1"), 2, "--fps cannot be '-1'"),
        (("send", "--seconds", "0"), 2, "'0' is no positive number of seconds"),
        (("send", "--seconds", "soon"), 2, "'soon' is no positive number of seconds"),
        (("receive", "--port", "/dev/ttyNONE"), 1, "cannot open port /dev/ttyNONE: there is no such device"),
        (("receive", "--port", "kiss+tcp://localhost"), 2, "name a host and a port number, as in kiss+tcp://"),
        (("receive", "--port", "socket://localhost"), 2, "name a host and a port number, as in socket://"),
        (("receive", "--port", "socket://127.0.0.1:1"), 1, "cannot open port socket://127.0.0.1:1"),
        (("receive", "--port", "udp://127.0.0.1:9"), 2, "it would talk to itself: add ?local="),
        (("receive", "--port", "/dev/ttyNONE?ptt=cts"), 2, "option ptt is 'cts' and can only be rts"),
        (("receive", "--port", "/dev"), 2, "this is a directory: name a serial device"),
        (("receive", "--port", "warp://9", "--wait"), 2, "cannot open port warp://9: "),
        (("receive", "--port", "pty:nowhere/line"), 1, "there is no folder nowhere: make it, or name another"),
        (("receive", "--port", "pty:text.toml"), 2, "it exists and is no pseudo-terminal: name another place"),
        (("receive", "--port", "pty:", "--capture", "text.toml"), 2, "text.toml exists and is no capture"),
        (("receive", "--port", "pty:", "--picture", "newest"), 2, "cannot tell the picture format of newest"),
        (("receive", "--port", "pty:", "--picture", "nowhere/new.png"), 2, "there is no folder"),
        (("receive", "--port", "pty:", "--events", "nowhere/events"), 2, "there is no folder"),
        (("receive", "--config", "text.toml"), 2, "unknown key 'speed' in text.toml; known keys: port, "),
        (("receive", "--playout-delay-s", "-1"), 2, "--playout-delay-s cannot be '-1'"),
        (("receive", "--port", "pty:", "--key-file", "home.key"), 2, "cannot read the key home.key"),
        (
            ("receive", "--web", "8080"),
            2,
            "--web cannot be '8080': write an address and a port, such as 127.0.0.1:8080",
        ),
        (("receive", "--web", "localhost:99999"), 2, "write an address and a port"),
        (("receive", "--port", "pty:", "--web", "0.0.0.0:0"), 2, "needs a token: make one with pantel key token FILE"),
        (("receive", "--port", "pty:", "--web-token-file", "missing"), 2, "/missing: No such file or directory; make"),
        (("receive", "--web-names", "http://cam.example.org"), 2, "write names of hosts without port"),
        (("receive", "--port", "pty:", "--recordings", "text.toml"), 2, "cannot use the folder text.toml: File exists"),
        (("receive", "--recordings-quota-bytes", "1000"), 2, "--recordings-quota-bytes cannot be '1000'"),
        (("receive", "--recording-segment-s", "1"), 2, "--recording-segment-s cannot be '1'"),
        (("send", "--ring-fps", "0"), 2, "--ring-fps cannot be '0'"),
        (("receive", "--view", "pretty"), 2, "--view cannot be 'pretty': Input should be 'faithful' or 'perceptual'"),
    ],
)
def test_mistakes(argv: tuple[str, ...], code: int, said: str, pantel: _Pantel) -> None:
    Path("text.toml").write_text("speed = 5\n")
    answered, err = pantel(*argv)
    assert answered == code
    assert err.startswith("pantel: error: ")
    assert err.count("\n") == 1
    assert said in err
    assert [path.name for path in Path().iterdir()] == ["text.toml"]


def test_a_detector_that_fails_with_pictures_of_that_size_is_refused_at_the_start(pantel: _Pantel) -> None:
    write_bright_finder(Path("eyes.onnx"), (10, 10, 5, 5), 5, {"imgsz": "128"}, cells=16)
    code, err = pantel("send", "--port", "pty:", "--detector", "eyes.onnx", "--size-px", "128x64")
    assert code != 0
    assert err.startswith("pantel: error: the detector eyes.onnx cannot be run: ")
    assert err.count("\n") == 1


def test_the_default_callsign_never_goes_on_the_air(pantel: _Pantel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)  # a sender that does not even connect fails the test
        code, err = pantel("send", "--port", f"socket://127.0.0.1:{server.getsockname()[1]}")
        heard, _ = server.accept()
        with heard:
            assert heard.recv(100) == b""
    assert code == 2
    assert err.startswith("pantel: error: callsign N0CALL is only the default")
    assert err.count("\n") == 1


def test_the_sender_ends_with_its_camera(pantel: _Pantel, caplog: pytest.LogCaptureFixture) -> None:
    Path("clip").mkdir()
    for index in range(3):
        cv2.imwrite(f"clip/{index}.png", np.full((48, 64, 3), 60 * index, np.uint8))
    with caplog.at_level("INFO"):
        code, _ = pantel("send", "--port=pty:", "--camera=file:clip?loop=once", "--size-px=64x48")
    assert code == 0
    assert "stopped reason=camera ended" in caplog.text
    assert "sent packets=" in caplog.text


def test_the_link_learns_utc_when_the_system_does(monkeypatch: pytest.MonkeyPatch) -> None:
    class Idle(Sender):
        def __init__(self) -> None:
            """Need nothing."""

        def advance(self, now_ns: int) -> int:
            return now_ns + 1

    utc = datetime(1970, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(wall_clock, "utc_now", lambda: utc)
    clock = VirtualClock()
    link = LinkSender(StreamContext(0, "N0CALL", 1, bytes(3), 64, 48), now_ns=0)
    sender = _DatedSender(Idle(), link, clock)
    assert sender.advance(0) == 1
    assert link.utc_offset_ns is None
    utc = datetime(2025, 6, 1, tzinfo=UTC)
    sender.advance(15_000_000_000)
    assert link.utc_offset_ns == utc.timestamp() * 10**9


def test_the_sender_has_one_set_of_defaults() -> None:
    assert _encoder_settings(SenderConfig.model_validate({})) == SceneEncoderSettings()


@pytest.mark.parametrize(
    ("mode", "bitrate_bps", "kind"),
    [
        ("picture", "100", SceneEncoder),
        ("sketch", "960", SketchEncoder),
        ("auto", "199", SketchEncoder),
        ("auto", "200", SceneEncoder),
    ],
)
def test_mode_and_bit_rate_decide_what_is_told(mode: str, bitrate_bps: str, kind: type, codec: SceneCodec) -> None:
    config = load_config(SenderConfig, None, {"mode": mode, "bitrate_bps": bitrate_bps})
    assert type(_encoder(config, codec)) is kind


def test_a_sketch_can_have_its_contours_from_a_forest(pantel: _Pantel, monkeypatch: pytest.MonkeyPatch) -> None:
    detectors: list[StructuredEdgeDetection] = []
    monkeypatch.setattr(cv2, "ximgproc", make_ximgproc(detectors), raising=False)
    write_forest(Path("forest.yml"))
    Path("clip").mkdir()
    for index in range(3):
        picture = np.full((48, 64, 3), 60, np.uint8)
        picture[10:40, 10 + index : 40] = 200
        cv2.imwrite(f"clip/{index}.png", picture)
    options = ("--port=pty:", "--camera=file:clip?loop=once", "--size-px=64x48", "--edge-model=forest.yml")
    assert pantel("send", "--mode=sketch", *options)[0] == 0
    assert detectors[0].asked_px[1:]  # the first was to try it
    assert pantel("send", "--mode=picture", *options)[0] == 0
    assert len(detectors) == 1


def test_without_a_mask_errors_count_alike_everywhere() -> None:
    config = SenderConfig.model_validate({"mask": False, "roi_weight": 5.0, "assumed_loss": 0.2})
    assert _encoder_settings(config) == SceneEncoderSettings(roi_weight=1.0, assumed_loss=0.2)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.uint8]]:
    """Return the pictures that are written, instead of writing them."""
    pictures: list[NDArray[np.uint8]] = []
    monkeypatch.setattr(sinks, "write_picture", lambda _, pixels: pictures.append(pixels))
    return pictures


@pytest.mark.parametrize(("argv", "size_px"), [((), (96, 64)), (("--overlay",), (192, 128))])
def test_pictures_are_drawn_often_and_written_now_and_then(
    argv: tuple[str, ...], size_px: tuple[int, int], heard: bytes, written: list[NDArray[np.uint8]], pantel: _Pantel
) -> None:
    _receive(heard, pantel, "--seconds=1.5", "--capture=line.pcapng", *argv)
    # Something moves in every picture, so each that is due is written.
    assert 2 <= len(written) <= 5
    assert {pixels.shape[1::-1] for pixels in written} == {size_px}
    assert b'"picture_interval_ns": 100000000' in Path("line.pcapng").read_bytes()


@pytest.mark.parametrize(("argv", "view"), [((), View.PERCEPTUAL), (("--view=faithful",), View.FAITHFUL)])
def test_the_view_is_perceptual_unless_told_otherwise(
    argv: tuple[str, ...],
    view: View,
    *,
    heard: bytes,
    written: list[NDArray[np.uint8]],
    two_views: Artefact,
    pantel: _Pantel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receiver, "find_artefact", lambda **_: two_views)
    _receive(heard, pantel, "--seconds=1", *argv)
    codec = load_scene_codec(two_views, view=view)
    bare = codec.synthesise(Background(96, 64, codec.entropy.groups))
    np.testing.assert_array_equal(written[0][:8], bare[:8])  # above the object


def test_what_is_shown_is_recorded(heard: bytes, written: list[NDArray[np.uint8]], pantel: _Pantel) -> None:
    _receive(heard, pantel, "--seconds=2", "--recordings=recordings")
    (recording,) = recordings_in(Path("recordings"))
    assert recording.sender == "DK1AB-0"
    with av.open(str(recording.path), "r") as container:
        pictures = [(frame.time, (frame.width, frame.height)) for frame in container.decode(video=0)]
    assert written
    assert 5 <= len(pictures) <= 20
    assert {size_px for _, size_px in pictures} == {(96, 64)}


def test_a_ring_keeps_what_the_camera_sees(pantel: _Pantel) -> None:
    Path("clip").mkdir()
    for index in range(5):
        cv2.imwrite(f"clip/{index}.png", np.full((48, 64, 3), 40 * index, np.uint8))
    options = ("--camera=file:clip?loop=once", "--size-px=64x48", "--ring=ring", "--ring-fps=60", "--sender=9")
    assert pantel("send", "--port=pty:", *options)[0] == 0
    (recording,) = recordings_in(Path("ring"))
    assert recording.sender == "N0CALL-9"
    with av.open(str(recording.path), "r") as container:
        assert sum(1 for _ in container.decode(video=0)) in {4, 5}


def _receive(heard: bytes, pantel: _Pantel, *argv: str) -> None:
    """Let `pantel receive` hear what a sender has written."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send() -> None:
            connection, _ = server.accept()
            with connection:
                time.sleep(0.3)  # what has come before a port is open is stale
                connection.sendall(heard)
                connection.recv(1)  # until the receiver hangs up

        with ThreadPoolExecutor(1) as pool:
            line = pool.submit(send)
            options = ("--picture-interval-s=0.4", "--playout-delay-s=0", "--web=", *argv)
            port = f"socket://127.0.0.1:{server.getsockname()[1]}"
            assert pantel("receive", "--port", port, *options)[0] == 0
            line.result(timeout=5)


@pytest.fixture
def heard(codec: SceneCodec, dress: Callable[..., Thumbnail]) -> bytes:
    """Return what a sender writes of an object that moves quickly."""
    context = stream_context(codec.artefact, callsign="DK1AB", epoch=7, size_px=(96, 64))
    codes = size_code(16), size_code(24)
    core = dress((250, 10, 10), codes)
    elements: list[Element] = [
        SpriteElement(5, True, 1, codes[0], (0, 0, 0, 0), Knot(0, 20, 32, codes[1]), core),
        PoseElement(5, Knot(5, 0, 32, codes[1])),
    ]
    payload = SceneSyntax(codec.entropy, codec.thumbnails.model, 96, 64).write(elements)
    sender = LinkSender(context, now_ns=0)
    octets = b""
    for time_ns in range(0, 2_000_000_000, 20_000_000):
        if payload and sender.ready(time_ns):
            sender.submit(PacketKind.SCENE, payload, time_ns)
            payload = b""
        while chunk := sender.due(time_ns):
            octets += chunk
    return octets


def test_the_receiver_hears_nothing_and_ends_in_order(pantel: _Pantel) -> None:
    assert pantel("receive", "--port=pty:", "--seconds=0.1", "--events=events.jsonl", "--web=")[0] == 0
    assert sorted(path.name for path in Path().iterdir()) == ["events.jsonl"]


def test_noise_and_a_line_that_breaks_stop_no_receiver(pantel: _Pantel, caplog: pytest.LogCaptureFixture) -> None:
    noise = np.random.default_rng(1).bytes(5000)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def make_noise() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(noise)

        with ThreadPoolExecutor(1) as pool:
            line = pool.submit(make_noise)
            port = f"socket://127.0.0.1:{server.getsockname()[1]}"
            assert pantel("receive", "--port", port, "--seconds=0.5", "--events=events.jsonl", "--web=")[0] == 0
            line.result(timeout=5)
    assert "port gone" in caplog.text
    assert Path("events.jsonl").read_text() == ""
