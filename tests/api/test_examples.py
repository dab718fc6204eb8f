"""The examples of docs/api.md, as a reader follows them: in an empty folder, with the program as it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.api.page import Session, differs, sessions

_SESSIONS = sessions()
_NEXT = "\N{BLACK RIGHT-POINTING TRIANGLE}"
_CACHE = Path(__file__).parents[2] / ".mypy_cache" / "examples"


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of a reader whose pip installs into a folder of this session."""
    site = str(folder / "site")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PANTEL_")}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "XDG_STATE_HOME": str(folder / "state"),
        "PYTHONPATH": site,
        "PIP_TARGET": site,
        "PIP_NO_INDEX": "1",  # hatchling is here, and nothing else is needed
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # which means that there is none
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def _write(session: Session, folder: Path) -> None:
    for name, text in session.files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("session", _SESSIONS, ids=lambda session: session.title)
def test_a_session_goes_as_the_page_says(session: Session, tmp_path: Path) -> None:
    _write(session, tmp_path)
    for exchanges in session.exchanges:
        script = "\n".join(f"echo {_NEXT}\n{exchange.command}" for exchange in exchanges)
        done = subprocess.run(
            ["bash", "-c", f"exec 2>&1\n{script}"],
            cwd=tmp_path,
            env=_environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        answers = done.stdout.split(f"{_NEXT}\n")[1:]
        for exchange, answer in zip(exchanges, answers, strict=True):
            difference = differs(answer, exchange.answer)
            assert not difference, f"$ {exchange.command}\n{difference}"


@pytest.mark.slow
def test_the_examples_pass_a_strict_type_check(tmp_path: Path) -> None:
    for session in _SESSIONS:
        _write(session, tmp_path)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(_CACHE), *map(str, tmp_path.rglob("*.py"))]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout


def test_the_page_shows_all_that_it_should() -> None:
    titles = {session.title for session in _SESSIONS}
    assert {"A still picture", "A port", "A camera", "A detector", "A sink"} <= titles
    assert all(session.exchanges for session in _SESSIONS)


@pytest.mark.parametrize(
    ("answer", "promised", "same"),
    [
        ("a 1.0 b\n", "a 1.0 b", True),
        ("a 1.1 b\n", "a 1.0 b", True),
        ("a 1.2 b\n", "a 1.0 b", False),
        ("0\n", "1", False),
        ("any\nthing\n", "…", True),
        ("any\nthing\n", "any…", True),
        ("any\nthing\n", "thing…", False),
        ("pantel-csv 2.0", "pantel-csv 1.0", False),
        ("more\n", "", False),
        ("", "", True),
    ],
)
def test_what_counts_as_a_difference(answer: str, promised: str, same: bool) -> None:
    assert (differs(answer, promised) == "") == same
