"""An old sender and a new receiver understand each other, and what an old program kept on its disk is still good.

Each folder here holds what a released program said on the line and left behind; see `freeze.py`.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.releases.freeze import CALLSIGN, FOLDER, SAID
from tests.releases.said import frozen_key, what_it_says

from pantel_device.config import ReceiverConfig, SenderConfig, load_config
from pantel_device.receiving.stream_memory import StreamMemoryFile
from pantel_device.sending.boot_epoch import next_epoch
from pantel_link import Keyring, LinkReceiver, MasterKey, SenderKey
from pantel_link.captures import CapturedCodeword, ReplayLink, read_capture
from pantel_models import MANIFEST, find_artefact, list_artefacts

RELEASES = sorted(path.parent for path in FOLDER.glob(f"*/{SAID}"))
CAPTURES = [(release, name) for release in RELEASES for name in json.loads((release / SAID).read_text())]
MOST_BYTES = 100_000


def name_of(value: object) -> str:
    return value.name if isinstance(value, Path) else str(value)


def frozen(release: Path, name: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((release / SAID).read_text())[name]
    return said


def says_today(release: Path, name: str) -> dict[str, Any]:
    key = frozen_key(release / "master.key") if name == "keyed" else None
    said: dict[str, Any] = json.loads(json.dumps(asdict(what_it_says(release / f"{name}.pcapng", key))))
    return said


def test_there_are_releases() -> None:
    assert "0.1.0" in [release.name for release in RELEASES]


@pytest.mark.parametrize(("release", "name"), CAPTURES, ids=name_of)
def test_what_a_release_sent_says_the_same_today(release: Path, name: str) -> None:
    assert says_today(release, name) == frozen(release, name)


@pytest.mark.parametrize("release", RELEASES, ids=name_of)
def test_its_captures_hold_all_kinds_and_are_small(release: Path) -> None:
    said = {name: frozen(release, name) for name in json.loads((release / SAID).read_text())}
    kinds = {kind for each in said.values() for kind in each["elements"]}
    assert {"CellElement", "SpriteElement", "TextureElement", "OutlineElement", "CameraElement", "LinkElement"} <= kinds
    assert {told["kind"] for told in said["keyed"]["told"]} == {"alarm", "still", "telemetry", "text"}
    assert sum(path.stat().st_size for path in release.rglob("*") if path.is_file()) < MOST_BYTES
    assert not any(each["payloads_damaged"] for each in said.values())
    assert all(each["pictures"] for each in said.values())


@pytest.mark.parametrize("release", RELEASES, ids=name_of)
def test_its_model_is_found_beside_a_newer_one(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = frozen(release, "plain")
    newer = with_newer_default(tmp_path, said["model"])
    assert find_artefact(manifest=newer).hash != said["model"]
    for module in ("pantel_device.receiving.receiver", "tests.releases.said"):
        monkeypatch.setattr(f"{module}.find_artefact", partial(find_artefact, manifest=newer))
    assert says_today(release, "plain") == said


def with_newer_default(folder: Path, old: str) -> Path:
    """Return a manifest whose default model has other tables, and that has an old one, too."""
    content = json.loads(MANIFEST.read_text())
    artefact = find_artefact(hash_prefix=old)
    entry = next(each for each in content["artefacts"] if each["name"] == artefact.name)
    (folder / artefact.name).symlink_to(artefact.folder)
    newer = folder / "newer"
    shutil.copytree(artefact.folder, newer)
    with np.load(artefact.path("tables")) as tables:
        np.savez(newer / artefact.files["tables"], **tables)  # uncompressed: another file, and so another hash
    files = dict(entry["files"])
    files["tables"] = {"name": artefact.files["tables"], "sha256": "ff" * 32}
    manifest = folder / MANIFEST.name
    manifest.write_text(json.dumps({"artefacts": [{"name": "newer", "files": files}, entry]}))
    assert [each.name for each in list_artefacts(manifest)] == ["newer", artefact.name]
    return manifest


@pytest.mark.parametrize("release", RELEASES, ids=name_of)
def test_its_configurations_are_accepted(release: Path) -> None:
    sender = load_config(SenderConfig, release / "sender.toml", {})
    receiver = load_config(ReceiverConfig, release / "receiver.toml", {})
    assert (sender.port, receiver.port) == ("/dev/serial0", "/dev/serial0")
    assert (sender.bitrate_bps, receiver.bitrate_bps) == (960, 960)


@pytest.mark.parametrize("release", RELEASES, ids=name_of)
def test_its_keys_open_what_they_opened(release: Path) -> None:
    master, mast = keys(release)
    assert master.sender_key(0, CALLSIGN) == mast


@pytest.mark.parametrize("release", RELEASES, ids=name_of)
def test_its_epochs_go_on(release: Path, tmp_path: Path) -> None:
    _, mast = keys(release)
    state = shutil.copytree(release / "mast", tmp_path / "mast")
    for key, file in ((mast, f"boot_epoch-{mast.fingerprint}"), (None, "boot_epoch")):
        assert next_epoch(state, key) == int((release / "mast" / file).read_text()) + 1


@pytest.mark.parametrize("release", RELEASES, ids=name_of)
def test_its_receivers_memory_still_refuses_recordings(release: Path, tmp_path: Path) -> None:
    """The capture is a recording of what the receiver heard, so one that remembers takes nothing of it."""
    master, _ = keys(release)
    codewords = [each for each in read_capture(release / "keyed.pcapng") if isinstance(each, CapturedCodeword)]
    state = shutil.copytree(release / "home", tmp_path / "home")
    memory = StreamMemoryFile(state / "senders.json")
    try:
        remembering = LinkReceiver(keyring=Keyring(master), memory=memory)
        octets = b"".join(codeword.octets for codeword in codewords)
        assert remembering.receive(octets, codewords[-1].arrival_ns) == []
    finally:
        memory.release()
    forgetful = ReplayLink(keyring=Keyring(master))
    taken = [
        each for codeword in codewords for each in forgetful.receive_codeword(codeword.octets, codeword.arrival_ns)
    ]
    assert len(taken) > 20


def keys(release: Path) -> tuple[MasterKey, SenderKey]:
    master, mast = frozen_key(release / "master.key"), frozen_key(release / "mast.key")
    assert isinstance(master, MasterKey)
    assert isinstance(mast, SenderKey)
    return master, mast
