"""Captures for the tests of archives: real payloads of the bundled scene over simulated lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.device.archives.reading import Replay
from tests.golden.scene_capture import CAPTURE

from pantel_bench.archive.captures import Kind, Plan, make_capture
from pantel_device.cli import main
from pantel_link import PacketKind
from pantel_link.captures import CapturedCodeword, ReplayLink, read_capture

Maker = Callable[..., Path]


@pytest.fixture(scope="session")
def payloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scene payloads of the capture in the repository, as the bench keeps them."""
    link = ReplayLink()
    found: list[bytes] = []
    for event in read_capture(CAPTURE):
        if isinstance(event, CapturedCodeword):
            heard = link.receive_codeword(event.octets, event.arrival_ns)
            found += [each.packet.payload for each in heard if each.packet.kind is PacketKind.SCENE]
    path = tmp_path_factory.mktemp("payloads") / "payloads.txt"
    path.write_text("".join(f"{payload.hex()}\n" for payload in found))
    return path


@pytest.fixture
def make(payloads: Path, tmp_path: Path) -> Maker:
    """Return a function that writes a capture of some kind into the archive, and returns its newest file."""

    def write(name: str, kind: Kind = Kind.PLAIN, *, number: int = 1, seconds: float = 6.0) -> Path:
        path = tmp_path / "archive" / name
        make_capture(Plan(path, number, kind, seconds, payloads))
        return path

    return write


@pytest.fixture
def replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Replay:
    """Return a function that replays the archive in this process; it returns the code, and what was said."""

    def run(*options: str, results: str = "results") -> tuple[int, str, str]:
        words = ["replay", str(tmp_path / "archive"), "--results", str(tmp_path / results), "--jobs", "1", *options]
        code = main(words)
        return code, *capsys.readouterr()

    return run
