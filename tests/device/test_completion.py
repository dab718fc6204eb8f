"""Shell completion, in real shells."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pantel_device.cli import main
from pantel_device.commands.completion import script

_Complete = Callable[..., set[str]]

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
needs_zsh = pytest.mark.skipif(shutil.which("zsh") is None, reason="needs the Debian package zsh")


@pytest.fixture(scope="module")
def bash_script() -> str:
    return script("bash")


@pytest.fixture
def complete(bash_script: str, tmp_path: Path) -> _Complete:
    """Return what bash would offer for the last of some words, in a folder of a few files."""
    (tmp_path / "pantel").write_text(bash_script)
    folder = tmp_path / "here"
    (folder / "pictures").mkdir(parents=True)
    for name in ("sender.toml", "walk.mp4"):
        (folder / name).touch()

    def offered(*words: str) -> set[str]:
        program = (
            'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=();'
            "run=$(complete -p pantel); run=${run##*-F }; run=${run%% *};"
            '$run pantel "${!#}" ""; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "-c", program, "bash", str(tmp_path / "pantel"), "pantel", *words],
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
        )
        assert done.stderr == ""
        return {word.strip() for word in done.stdout.split("\n") if word.strip()}

    return offered


@needs_bash
def test_commands(complete: _Complete) -> None:
    assert {"send", "receive", "doctor", "completion", "bench"} <= complete("")
    assert complete("re") == {"receive", "replay"}
    assert {"new", "derive", "begin"} <= complete("key", "")


@needs_bash
def test_options(complete: _Complete) -> None:
    assert complete("send", "--still") == {"--still-interval-s", "--still-bytes", "--still-share"}
    assert complete("doctor", "--j") == {"--json"}
    assert complete("ask", "line", "--bit") == {"--bitrate-bps"}


@needs_bash
def test_words(complete: _Complete) -> None:
    assert complete("send", "--preset", "") == {"light", "standard", "heavy"}
    assert complete("receive", "--view", "p") == {"perceptual"}
    assert complete("send", "--rotation", "") == {"0", "90", "180", "270"}
    assert complete("receive", "--overlay", "t") == {"true"}


@needs_bash
def test_files_and_folders(complete: _Complete) -> None:
    assert complete("send", "--config", "") == {"sender.toml", "walk.mp4", "pictures"}
    assert complete("decode", "wa") == {"walk.mp4"}
    assert complete("receive", "--stills", "") == {"pictures"}
    assert complete("receive", "--state-dir", "") == {"pictures"}
    assert complete("send", "--port", "/dev/nul") == {"/dev/null"}


@needs_zsh
def test_zsh_takes_its_script(tmp_path: Path) -> None:
    (tmp_path / "_pantel").write_text(script("zsh"))
    program = 'fpath=("$1" $fpath); autoload -Uz compinit; compinit -u -D; print ${_comps[pantel]}; autoload +X _pantel'
    done = subprocess.run(
        ["zsh", "-f", "-c", program, "zsh", str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("_pantel\n", "")


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    assert "pantel" in capsys.readouterr().out
    assert main(["completion", "fish"]) == 2
    assert "invalid choice: 'fish'" in capsys.readouterr().err
