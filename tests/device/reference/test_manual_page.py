"""The manual page: complete, and without a word from those who read it most strictly."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pantel_device.cli import make_parser
from pantel_device.config import ReceiverConfig, SenderConfig
from pantel_device.parsers import walk
from pantel_device.reference import manual_page
from pantel_device.reference.roff import escape, tagged

_DATE = "2026-05-01"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("man") / "pantel.1"
    path.write_text(manual_page(_DATE), encoding="ascii")
    return path


def _shown(page: Path) -> str:
    """Return the page as plain text in one line."""
    environment = {**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8", "MANROFFOPT": "-c"}
    done = subprocess.run(
        ["groff", "-man", "-Tascii", "-P-c", "-P-b", "-P-u", "-rHY=0", page],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return " ".join(done.stdout.split())


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs the Debian package groff")
def test_groff_has_no_warning(page: Path) -> None:
    done = subprocess.run(["groff", "-man", "-ww", "-z", page], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="needs the Debian package mandoc")
def test_mandoc_has_no_complaint(page: Path) -> None:
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", page], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs the Debian package groff")
def test_every_command_and_key_is_there(page: Path) -> None:
    shown = _shown(page)
    for parser in walk(make_parser()):
        assert parser.prog in shown
    for model in (SenderConfig, ReceiverConfig):
        for key in model.model_fields:
            assert f"--{key.replace('_', '-')} " in shown
    assert "see operators.md." in shown
    assert "](" not in shown


def test_it_does_not_depend_on_who_makes_it(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere/else")
    assert manual_page(_DATE) == page.read_text(encoding="ascii")


def test_what_roff_would_take_for_its_own() -> None:
    assert escape(".ptl file\n'x' \\n a-b") == r"\&.ptl file" + "\n" + r"\(aqx\(aq \en a\-b"
    assert escape("1 … 82 °C") == r"1 ... 82 \[u00B0]C"
    assert tagged("x", "`fps` of [operators.md](operators.md#a)") == ".TP\nx\n\\fBfps\\fR of operators.md\n"


def test_the_program_dates_it_as_it_is_told() -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1777593600"}
    done = subprocess.run(
        [sys.executable, "-m", "pantel_device.reference", "man"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stdout == manual_page("2026-05-01")
