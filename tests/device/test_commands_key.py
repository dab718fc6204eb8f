"""Keys: made once, read by their owner alone, and never shown."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from pantel_device.cli import main
from pantel_device.command import CommandError
from pantel_device.receiving.stream_memory import StreamMemoryFile
from pantel_device.sending.boot_epoch import next_epoch
from pantel_device.web.access.token_file import read_token
from pantel_link import KeyFileError, MasterKey, SenderKey, read_key


def test_a_master_key_and_that_of_a_sender(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    master, mast = tmp_path / "master.key", tmp_path / "mast.key"
    assert main(["key", "new", str(master)]) == 0
    assert main(["key", "derive", str(master), str(mast), "--callsign", "dl1abc", "--sender", "3"]) == 0
    key, derived = read_key(master), read_key(mast)
    assert isinstance(key, MasterKey)
    assert isinstance(derived, SenderKey)
    assert key.sender_key(3, "DL1ABC") == derived
    assert (derived.sender_key(3, "DL1ABC"), derived.sender_key(4, "DL1ABC")) == (derived, None)
    assert master.stat().st_mode & 0o777 == mast.stat().st_mode & 0o777 == 0o600
    shown = capsys.readouterr().out + repr(key) + repr(derived)
    assert key.key.hex() not in shown
    assert derived.key.hex() not in shown


def test_mistakes_with_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    master, mast = str(tmp_path / "master.key"), str(tmp_path / "mast.key")
    main(["key", "new", master])
    main(["key", "derive", master, mast, "--callsign", "DL1ABC"])
    capsys.readouterr()
    other = str(tmp_path / "other.key")
    for arguments, reason in (
        (["new", master], "keys are never overwritten"),
        (["derive", mast, other, "--callsign", "DL1ABC"], "is no master key but that of sender 0, DL1ABC"),
        (["derive", master, other, "--callsign", "DL1ABC", "--sender", "64"], "must lie in 0..63"),
        (["derive", master, other, "--callsign", "zu lang für ein Rufzeichen"], "must be 1 to 9 characters"),
        (["new", str(tmp_path / "nowhere" / "a.key")], "there is no folder"),
        (["derive", other, other, "--callsign", "DL1ABC"], "cannot read the key"),
    ):
        assert main(["key", *arguments]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert reason in line
        assert not Path(other).exists()
    (tmp_path / "open.key").write_text(Path(master).read_text())
    with pytest.raises(KeyFileError, match="others can read the key"):
        read_key(tmp_path / "open.key")
    (tmp_path / "open.key").chmod(0o600)
    assert read_key(tmp_path / "open.key") == read_key(Path(master))
    (tmp_path / "open.key").chmod(0o640)
    if os.geteuid() == 0:  # a service's: root's own, and its group may read it
        assert read_key(tmp_path / "open.key") == read_key(Path(master))
        os.chown(tmp_path / "open.key", 1000, -1)
    with pytest.raises(KeyFileError, match="others can read the key"):
        read_key(tmp_path / "open.key")
    if os.geteuid() == 0:
        os.chown(tmp_path / "open.key", 0, -1)
    for mode in (0o644, 0o660, 0o604):
        (tmp_path / "open.key").chmod(mode)
        with pytest.raises(KeyFileError, match="others can read the key"):
            read_key(tmp_path / "open.key")
    (tmp_path / "open.key").chmod(0o600)
    for damaged in ("", "pantel-key-1 master 00", f"pantel-key-1 sender 99 DL1ABC {'0' * 64}"):
        (tmp_path / "open.key").write_text(damaged)
        with pytest.raises(KeyFileError):
            read_key(tmp_path / "open.key")


def test_the_epochs_of_a_key_are_never_guessed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    master, mast, state = (str(tmp_path / name) for name in ("master.key", "mast.key", "state"))
    main(["key", "new", master])
    main(["key", "derive", master, mast, "--callsign", "DL1ABC"])
    key = read_key(Path(mast))
    assert isinstance(key, SenderKey)
    with pytest.raises(CommandError, match="the epochs that this key has had are not known"):
        next_epoch(Path(state), key)
    assert main(["key", "begin", mast, "--state-dir", state]) == 0
    first = next_epoch(Path(state), key)
    assert next_epoch(Path(state), key) == first + 1
    capsys.readouterr()
    for arguments, reason in (
        ([mast, "--state-dir", state], "the epochs of this key have begun"),
        ([master, "--state-dir", state], "which stays at home"),
        ([mast, "--state-dir", master], "set state_dir to a folder that is yours"),
        ([mast, "--state-dir", state, "--epoch", "-1"], "must lie in 0..16777215"),
    ):
        assert main(["key", "begin", *arguments]) != 0
        (line,) = capsys.readouterr().err.splitlines()
        assert reason in line
    (file,) = Path(state).glob(f"*-{key.fingerprint}")
    file.write_text("x")
    with pytest.raises(CommandError, match="is damaged"):
        next_epoch(Path(state), key)


def test_only_one_receiver_keeps_a_memory_and_it_must_be_writable(tmp_path: Path) -> None:
    memory = StreamMemoryFile(tmp_path / "senders.json")
    with pytest.raises(CommandError, match="another receiver with a key uses"):
        StreamMemoryFile(tmp_path / "senders.json")
    memory.release()
    StreamMemoryFile(tmp_path / "senders.json").release()
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="set state_dir to a folder that is yours"):
        StreamMemoryFile(tmp_path / "file" / "senders.json")


def test_what_is_remembered_is_ahead_of_what_was_delivered(tmp_path: Path) -> None:
    path = tmp_path / "state" / "senders.json"
    memory = StreamMemoryFile(path)
    assert memory.recall(0, "DL1ABC") is None
    memory.note(0, "DL1ABC", 7, 100)
    written = path.read_bytes()
    memory.note(0, "DL1ABC", 7, 120)
    assert path.read_bytes() == written  # a disk wears
    assert json.loads(path.read_bytes()) == {"0 DL1ABC": [7, 132]}
    memory.note(0, "DL1ABC", 7, 133)
    memory.note(0, "DL1ABC", 6, 999)
    assert json.loads(path.read_bytes()) == {"0 DL1ABC": [7, 165]}
    memory.settle({(0, "DL1ABC"): (7, 140)})
    memory.release()
    again = StreamMemoryFile(path)
    assert again.recall(0, "DL1ABC") == (7, 140)
    again.release()


@pytest.mark.parametrize("damaged", ["", "[]", '{"0 A": 1}', json.dumps({"0 A": [1, "x"]})])
def test_a_damaged_memory_stops_the_receiver(damaged: str, tmp_path: Path) -> None:
    path = tmp_path / "senders.json"
    path.write_text(damaged)
    with pytest.raises(CommandError, match="damaged, so recordings could not be told"):
        StreamMemoryFile(path)


def test_a_token_for_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, other = tmp_path / "token", tmp_path / "other"
    assert main(["key", "token", str(path)]) == main(["key", "token", str(other)]) == 0
    token = read_token(path)
    assert len(token) == 22
    assert token != read_token(other)
    assert path.stat().st_mode & 0o777 == 0o600
    assert token.decode() not in capsys.readouterr().out
    assert main(["key", "token", str(path)]) == 2
    assert "tokens are never overwritten" in capsys.readouterr().err
    assert main(["key", "token", str(tmp_path / "nowhere" / "token")]) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert read_token(path) == token


@pytest.mark.parametrize("what", ["new", "token"])
def test_a_full_disk_leaves_no_empty_file_in_the_way(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        assert main(["key", what, str(path)]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert not path.exists()
    assert main(["key", what, str(path)]) == 0
