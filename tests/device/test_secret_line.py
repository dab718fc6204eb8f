"""Secrets that a configuration names by a relative path: the error says where they were looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pantel_device.command import UsageError
from pantel_device.secret_line import read_secret_line


def test_an_error_says_where_a_relative_path_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "keys" / "password"
    with pytest.raises(UsageError) as caught:
        read_secret_line(Path("keys/password"), "mqtt_password_file", "write one there")
    assert str(caught.value) == f"cannot read mqtt_password_file = {path}: No such file or directory; write one there"
    path.parent.mkdir()
    path.write_text("secret\n")
    path.chmod(0o644)
    with pytest.raises(UsageError, match="everybody on this machine") as caught:
        read_secret_line(Path("keys/password"), "mqtt_password_file", "")
    assert f"mqtt_password_file = {path}: chmod o= {path}" in str(caught.value)
    path.chmod(0o600)
    assert read_secret_line(Path("keys/password"), "mqtt_password_file", "") == "secret"
