"""A still on its way over a line on which nobody answers: much is lost, and the receiver is killed half-way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pantel_device.cameras import open_camera
from pantel_device.observer import MotionDetector, Observer
from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.sink import Event, Picture
from pantel_device.receiving.still_receiver import StillReceiver
from pantel_device.receiving.stills_in import Still, StillFolder, StillSink
from pantel_device.scene_encoding.scene_encoder import SceneEncoder
from pantel_device.sending.sender import Sender
from pantel_device.sending.still_sender import StillSender
from pantel_link import (
    ChannelSettings,
    Identity,
    LengthClass,
    LinkReceiver,
    LinkSender,
    NullModem,
    Packet,
    PacketKind,
    Preset,
    PtyNullModem,
    StreamContext,
    VirtualClock,
    make_seal,
    memory_pair,
    wire_format,
)
from pantel_link.framing import frame_packet
from pantel_link.stills import StillAssembler, StillBlock, StillStore
from pantel_link.stills.block import file_bytes, repairs_needed
from pantel_models import SceneCodec, StillCodec, find_artefact, load_scene_codec

SIZE_PX = (160, 120)
SYMBOLS = 12
STILL_PACKET = wire_format(Preset.STANDARD, LengthClass.STILL)
STILL_BYTES = file_bytes(SYMBOLS, STILL_PACKET.payload_octets)
STEP_NS = 20_000_000
UTC_S = 1_800_000_000


class Events:
    """A sink that keeps events of stills."""

    def __init__(self) -> None:
        self.stills: list[Event] = []

    def on_picture(self, picture: Picture) -> None:
        """Show nothing."""

    def on_event(self, event: Event) -> None:
        if event.kind == "still":
            self.stills.append(event)

    def close(self) -> None:
        """Nothing to release."""


@pytest.fixture(scope="module")
def codec() -> SceneCodec:
    return load_scene_codec(find_artefact())


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Return a picture with something in it everywhere."""
    coarse = np.random.default_rng(1).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), cv2.resize(coarse, SIZE_PX, interpolation=cv2.INTER_CUBIC))
    return path


@pytest.fixture
def still(codec: SceneCodec, picture: Path) -> bytes:
    """Return the file that a mast sends of the picture."""
    frame = open_camera(f"file:{picture}", SIZE_PX, 1).capture(0)
    assert frame is not None
    return StillCodec(codec).encode(frame.pixels, STILL_BYTES)


def only_still(folder: Path, block: int = 0) -> bytes:
    (path,) = folder.glob(f"*-{block}.ptl")
    return path.read_bytes()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_still_arrives_though_every_third_packet_is_lost(
    codec: SceneCodec, picture: Path, still: bytes, tmp_path: Path, seed: int
) -> None:
    clock = VirtualClock()
    modem = NullModem(clock, ChannelSettings(loss=0.3, span_octets=STILL_PACKET.wire_octets, seed=seed))
    context = StreamContext(3, "N0CALL", 5, bytes.fromhex(codec.artefact.hash)[:3], *SIZE_PX)
    link = LinkSender(context, now_ns=0)
    stills = StillSender(
        StillCodec(codec),
        lambda: link.capacity_bytes(LengthClass.STILL),
        still_bytes=STILL_BYTES,
        interval_ns=20_000_000_000,  # so the first is due after half of it
        loss=0.3,
        utc_s=lambda: UTC_S,
    )
    sender = Sender(
        camera=open_camera(f"file:{picture}", SIZE_PX, 1),
        observer=Observer(MotionDetector()),
        encoder=SceneEncoder(codec, SIZE_PX),
        link=link,
        port=modem.near,
        stills=stills,
        still_share=0.9,
    )
    events = Events()
    receiver = Receiver(
        port=modem.far,
        link=LinkReceiver(),
        sinks=[events],
        stills=StillReceiver(StillAssembler(StillStore(tmp_path / "symbols")), StillFolder(tmp_path / "stills")),
    )
    while not events.stills and clock.now_ns() < 90_000_000_000:
        sender.advance(clock.now_ns())
        receiver.advance(clock.now_ns())
        clock.sleep(STEP_NS / 1e9)
    (arrived,) = events.stills
    assert (arrived.fields["symbols"], arrived.fields["symbols_needed"]) == (SYMBOLS, SYMBOLS)
    assert stills._block is not None
    assert SYMBOLS < stills._block.sent <= SYMBOLS + repairs_needed(SYMBOLS, 0.3)
    assert receiver.link.statistics.packets_lost > 0
    assert modem.far_to_near.statistics.octets_sent == 0
    assert only_still(tmp_path / "stills").rstrip(b"\0") == still.rstrip(b"\0")


class Dying:
    """A sink of stills on which the receiver dies with the whole still in its hands."""

    def on_still(self, still: Still) -> bool:
        if still.partial.complete:
            raise KeyboardInterrupt
        return True


def test_a_still_that_was_whole_when_the_receiver_died_is_not_lost(
    codec: SceneCodec, still: bytes, tmp_path: Path
) -> None:
    context = StreamContext(3, "N0CALL", 5, bytes.fromhex(codec.artefact.hash)[:3], *SIZE_PX)
    block = StillBlock(0, still, STILL_PACKET.payload_octets, UTC_S)
    seal = make_seal(context)
    introduction = frame_packet(
        Packet(PacketKind.IDENT, 3, 0, 0, Identity(context).to_payload()),
        seal,
        wire_format(Preset.STANDARD, LengthClass.LIVE),
    )
    symbols = [
        frame_packet(Packet(PacketKind.STILL, 3, counter, 0, block.next_payload()), seal, STILL_PACKET)
        for counter in range(1, SYMBOLS + 3)
    ]

    def hear(sink: StillSink, octets: bytes) -> None:
        near, far = memory_pair()
        near.write(introduction + octets)
        assembler = StillAssembler(StillStore(tmp_path / "symbols"))
        Receiver(port=far, link=LinkReceiver(), sinks=[], stills=StillReceiver(assembler, sink)).advance(0)

    with pytest.raises(KeyboardInterrupt):
        hear(Dying(), b"".join(symbols[:SYMBOLS]))
    hear(StillFolder(tmp_path / "stills"), b"".join(symbols[SYMBOLS:]))
    assert only_still(tmp_path / "stills").rstrip(b"\0") == still.rstrip(b"\0")


@contextmanager
def pantel(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the context is left, and kill it then."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PANTEL_")}
    with (
        (folder / f"{arguments[0]}.log").open("ab") as log,
        subprocess.Popen(
            [sys.executable, "-c", "from pantel_device.cli import main; raise SystemExit(main())", *arguments],
            cwd=folder,
            env=environment,
            stderr=log,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    deadline_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def first_still(path: Path) -> dict[str, Any]:
    """Return the newest event about the first still; nothing before there is one."""
    lines = path.read_text().splitlines() if path.exists() else []
    events = [json.loads(line) for line in lines if line.endswith("}")]
    stills = [event for event in events if event["kind"] in {"still", "still_grows"} and event["block"] == 0]
    return stills[-1] if stills else {}


@pytest.mark.slow
def test_a_receiver_that_is_killed_goes_on_with_the_still(still: bytes, picture: Path, tmp_path: Path) -> None:
    """In real time: 20 packets are sent of the still, 9 are heard before SIGKILL, so the other 11 alone are too few."""
    killed_at, loss = 9, 0.2
    assert SYMBOLS + repairs_needed(SYMBOLS, loss) - killed_at < SYMBOLS
    receive = ("receive", "--picture=", "--web=", "--view=faithful", "--stills=stills", "--state-dir=home")
    send = (
        "send",
        f"--camera=file:{picture}",
        f"--size-px={SIZE_PX[0]}x{SIZE_PX[1]}",
        "--fps=1",
        f"--still-bytes={STILL_BYTES}",
        "--still-interval-s=6",
        "--still-share=0.9",
        f"--assumed-loss={loss}",
        "--telemetry-interval-s=0",
        "--state-dir=mast",
    )
    with PtyNullModem(ChannelSettings(bit_error_rate=1e-4, seed=1)) as modem:
        home = (*receive, f"--port={modem.far_path}")
        with pantel(tmp_path, *home, "--events=first.jsonl"):
            wait_for((tmp_path / "first.jsonl").exists, 30.0)
            mast = ExitStack()
            mast.enter_context(pantel(tmp_path, *send, f"--port={modem.near_path}"))
            wait_for(lambda: first_still(tmp_path / "first.jsonl").get("symbols") == killed_at, 60.0)
        with mast, pantel(tmp_path, *home, "--events=second.jsonl"):
            wait_for(lambda: first_still(tmp_path / "second.jsonl").get("kind") == "still", 60.0)
            wait_for(lambda: list((tmp_path / "stills").glob("*-0.png")) != [], 10.0)
    assert first_still(tmp_path / "second.jsonl")["symbols"] == SYMBOLS
    assert only_still(tmp_path / "stills").rstrip(b"\0") == still.rstrip(b"\0")
