"""docs/configuration.md: its tables are what the models say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pantel_device.config import ReceiverConfig, SenderConfig
from pantel_device.config.fields import choices_of, default_text, meaning_of, values_text
from pantel_device.reference import with_tables

_PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_page_is_up_to_date() -> None:
    text = _PAGE.read_text(encoding="utf-8")
    assert with_tables(text) == text, "run make reference"


def test_all_but_the_tables_is_left_alone() -> None:
    text = _PAGE.read_text(encoding="utf-8")
    spoilt = text.replace("| `fps` |", "| `frames` |").replace("# Configuration", "# Settings")
    assert with_tables(spoilt) == text.replace("# Configuration", "# Settings")


@pytest.mark.parametrize("spoil", [lambda text: text.replace("<!-- end of keys -->", ""), lambda text: text + text])
def test_a_page_without_its_marks(spoil: object) -> None:
    assert callable(spoil)
    with pytest.raises(ValueError, match="there must be one table between"):
        with_tables(spoil(_PAGE.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("baud_rate", "1 to 100,000,000"),
        ("sender", "0 to 63"),
        ("fps", "0.01 to 60"),
        ("still_share", "above 0 to below 1"),
        ("capture_max_bytes", "at least 10,000"),
        ("detector_interval_frames", "at least 0"),
        ("mask", "`true`, `false`"),
        ("preset", "`light`, `standard`, `heavy`"),
        ("rotation", "`0`, `90`, `180`, `270`"),
        ("size_px", "32x32 to 1024x1024"),
        ("camera", ""),
    ],
)
def test_values(key: str, values: str) -> None:
    assert values_text(SenderConfig, key) == values


def test_meanings() -> None:
    fields = SenderConfig.model_fields
    assert meaning_of(fields["sender"]) == "Number of this sender; differs where several share a channel."
    assert meaning_of(fields["fps"]).endswith(" How often something is sent depends on the line alone.")


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    fields = ReceiverConfig.model_fields
    assert default_text(fields["state_dir"]) == "/somewhere/pantel"
    assert default_text(fields["state_dir"], symbolic=True) == "$XDG_STATE_HOME/pantel"
    assert [default_text(fields[key]) for key in ("stills", "overlay", "view", "events_max_bytes")] == [
        "empty",
        "false",
        "perceptual",
        "10000000",
    ]


@pytest.mark.parametrize("model", [SenderConfig, ReceiverConfig])
def test_every_default_is_among_the_choices(model: type[SenderConfig] | type[ReceiverConfig]) -> None:
    chosen = {key: choices_of(field) for key, field in model.model_fields.items() if choices_of(field)}
    assert "preset" in chosen
    for key, choices in chosen.items():
        assert default_text(model.model_fields[key]) in choices
