"""What `make test-arm64` does between two machines, here on one: so that it is known to find what differs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_EXCHANGE = Path(__file__).parent / "arm64" / "exchange.py"


def exchange(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, _EXCHANGE, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exchange")
    assert exchange("write", folder, "--payloads", "40", "--stills", "3").returncode == 0
    return folder


def test_what_is_written_is_read(written: Path) -> None:
    done = exchange("read", written)
    assert done.returncode == 0
    assert "payloads=40 stills=3" in done.stdout
    assert "wrong=0" in done.stdout
    content = json.loads((written / "exchange.json").read_text())
    assert len({entry["data"] for entry in content["payloads"]}) == 40


def test_what_differs_is_found(written: Path, tmp_path: Path) -> None:
    content = json.loads((written / "exchange.json").read_text())
    content["payloads"][-1]["digest"] = content["payloads"][0]["digest"]
    content["stills"][0]["digest"] = "0" * 16
    (tmp_path / "exchange.json").write_text(json.dumps(content))
    done = exchange("read", tmp_path)
    assert done.returncode == 1
    assert "wrong=2" in done.stdout
