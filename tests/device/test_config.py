"""The configuration: defaults, precedence, mistakes, and that examples and documentation are complete."""

from __future__ import annotations

import argparse
import os
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from pantel_device.command import UsageError
from pantel_device.commands.options import add_config_options, positive_seconds, read_config
from pantel_device.config import ReceiverConfig, SenderConfig, load_config
from pantel_device.receiving.receiver import PLAYOUT_DELAY_NS
from pantel_link import Preset
from pantel_models import View

_DOCUMENTATION = Path(__file__).parents[2] / "docs" / "configuration.md"
_MODELS = [(SenderConfig, "sender.toml"), (ReceiverConfig, "receiver.toml")]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PANTEL_"):
            monkeypatch.delenv(name)


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "pantel.toml"
    path.write_text(text)
    return path


def test_defaults() -> None:
    config = load_config(SenderConfig, None, {})
    assert (config.size_px, config.fps, config.bitrate_bps, config.preset) == ((320, 240), 10.0, 960, Preset.STANDARD)
    assert config.callsign == "N0CALL"
    assert load_config(ReceiverConfig, None, {}).events == "-"


def test_one_constant_delay_from_capture_to_show() -> None:
    assert load_config(ReceiverConfig, None, {}).playout_delay_s * 1e9 == PLAYOUT_DELAY_NS


def test_options_before_environment_before_file_before_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _file(tmp_path, "bitrate_bps = 100\nfps = 1\nroi_weight = 2\n")
    monkeypatch.setenv("PANTEL_BITRATE_BPS", "200")
    monkeypatch.setenv("PANTEL_FPS", "2.5")
    config = load_config(SenderConfig, path, {"bitrate_bps": "300"})
    assert (config.bitrate_bps, config.fps, config.roi_weight, config.sender) == (300, 2.5, 2.0, 0)


def test_text_is_understood_as_options_give_it() -> None:
    config = load_config(
        SenderConfig, None, {"size_px": "640x480", "mask": "false", "callsign": "dk1ab-7", "preset": "heavy"}
    )
    assert config.size_px == (640, 480)
    assert config.mask is False
    assert config.callsign == "DK1AB-7"
    assert config.preset is Preset.HEAVY


@pytest.mark.parametrize(("options", "view"), [({}, View.PERCEPTUAL), ({"view": "faithful"}, View.FAITHFUL)])
def test_the_receiver_shows_what_is_nicest_unless_told_otherwise(options: dict[str, str], view: View) -> None:
    assert load_config(ReceiverConfig, None, options).view is view


def test_a_view_that_does_not_exist(tmp_path: Path) -> None:
    path = _file(tmp_path, 'view = "pretty"')
    with pytest.raises(UsageError, match=rf"^view in {path} cannot be 'pretty': Input should be 'faithful' or"):
        load_config(ReceiverConfig, path, {})


def test_a_switch_needs_no_value() -> None:
    parser = argparse.ArgumentParser()
    add_config_options(parser, ReceiverConfig)
    for argv, overlay in ((["--overlay"], True), (["--overlay", "false"], False), ([], False)):
        assert read_config(parser.parse_args(argv), ReceiverConfig).overlay is overlay


def test_the_camera_can_be_turned_and_cut(tmp_path: Path) -> None:
    options = load_config(SenderConfig, None, {"rotation": "270", "crop": "0.25, 0, 0.5, 1"})
    file = load_config(SenderConfig, _file(tmp_path, "rotation = 270\ncrop = [0.25, 0, 0.5, 1]"), {})
    assert (options.rotation, options.crop) == (file.rotation, file.crop) == (270, (0.25, 0.0, 0.5, 1.0))


_GATE = """
[[zones]]
name = "gate"
kind = "alarm"
polygon = [[0.1, 0.5], [0.4, 0.5], [0.4, 1.0]]
classes = ["person"]
dwell_s = 2
"""


def test_zones_are_tables_in_a_file_and_json_elsewhere(tmp_path: Path) -> None:
    text = '[{"name":"gate","kind":"alarm","polygon":[[0.1,0.5],[0.4,0.5],[0.4,1]],"classes":["person"],"dwell_s":2}]'
    file, option = (
        load_config(SenderConfig, _file(tmp_path, _GATE), {}),
        load_config(SenderConfig, None, {"zones": text}),
    )
    assert file.zones == option.zones
    assert option.zones[0].classes == ("person",)
    assert load_config(SenderConfig, None, {"zones": ""}).zones == ()


def test_alarm_zones_are_told_apart_by_their_names(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"two alarm zones are named 'gate'; give each a name of its own$"):
        load_config(SenderConfig, _file(tmp_path, 2 * _GATE), {})
    other = _GATE.replace('"alarm"', '"privacy"').partition("classes")[0]
    assert len(load_config(SenderConfig, _file(tmp_path, _GATE + 2 * other), {}).zones) == 3


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e300"])
@pytest.mark.parametrize("model", [SenderConfig, ReceiverConfig])
def test_numbers_have_bounds(model: type[SenderConfig] | type[ReceiverConfig], value: str) -> None:
    keys = [key for key, field in model.model_fields.items() if field.annotation is float]
    assert "capture_max_age_s" in keys
    for key in keys:
        with pytest.raises(UsageError, match=f"^--{key.replace('_', '-')} cannot be '{value}'"):
            load_config(model, None, {key: value})


@pytest.mark.parametrize("text", ["inf", "nan", "1e300"])
def test_no_time_is_endless(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no positive number of seconds"):
        positive_seconds(text)


def test_weights_of_classes(tmp_path: Path) -> None:
    file = load_config(SenderConfig, _file(tmp_path, "class_weights = {person = 2, cat = 0}"), {})
    option = load_config(SenderConfig, None, {"class_weights": "person=2,cat=0"})
    assert file.class_weights == option.class_weights == {"person": 2.0, "cat": 0.0}


def test_help_tells_the_default_as_it_is_written() -> None:
    parser = argparse.ArgumentParser()
    add_config_options(parser, SenderConfig)
    assert "0,0,1,1 for all (default: 0,0,1,1)" in " ".join(parser.format_help().split())


def test_size_as_a_list_in_a_file(tmp_path: Path) -> None:
    assert load_config(SenderConfig, _file(tmp_path, "size_px = [64, 48]"), {}).size_px == (64, 48)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bitrate_bps", "12000"),
        ("bitrate_bps", "0"),
        ("bitrate_bps", "fast"),
        ("size_px", "16x16"),
        ("size_px", "2000x1000"),
        ("size_px", "320"),
        ("size_px", ""),
        ("rotation", "45"),
        ("rotation", "left"),
        ("crop", "0,0,1"),
        ("crop", "0,0,0,1"),
        ("crop", "0.5,0,0.6,1"),
        ("crop", "-0.1,0,1,1"),
        ("crop", "0,0,1e-9,1"),
        ("crop", "0,0,1,0.005"),
        ("crop", "nan,0,1,1"),
        ("crop", "0,0,1,nan"),
        ("zones", "gate"),
        ("class_weights", "person"),
        ("class_weights", "person=-1"),
        ("mode", "film"),
        ("max_objects", "0"),
        ("max_objects", "33"),
        ("min_object_height", "1.5"),
        ("idle_fps", "0"),
        ("fps", "nan"),
        ("fps", "0"),
        ("fps", "5e-324"),
        ("idle_fps", "5e-324"),
        ("duty_cycle", "5e-324"),
        ("baud_rate", "99999999999999999999"),
        ("callsign", ""),
        ("callsign", "ÄÖÜ"),
        ("callsign", "TOOLONGCALL"),
        ("preset", "bullet-proof"),
        ("mask", "perhaps"),
        ("sender", "64"),
        ("assumed_loss", "1"),
        ("detector_interval_frames", "-1"),
        ("port", ""),
    ],
)
def test_impossible_values_name_their_option(key: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(SenderConfig, None, {key: value})
    assert str(caught.value).startswith(f"--{key.replace('_', '-')} cannot be {value!r}: ")


def test_impossible_values_name_their_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANTEL_FPS", "many")
    with pytest.raises(UsageError, match=r"^PANTEL_FPS cannot be 'many': "):
        load_config(SenderConfig, None, {})


def test_impossible_values_name_their_file(tmp_path: Path) -> None:
    path = _file(tmp_path, "fps = -1")
    with pytest.raises(UsageError, match=rf"^fps in {path} cannot be -1: "):
        load_config(SenderConfig, path, {})


def test_unknown_keys_are_errors(tmp_path: Path) -> None:
    path = _file(tmp_path, "bitrate = 960")
    with pytest.raises(UsageError, match=rf"^unknown key 'bitrate' in {path}; known keys: port, baud_rate, "):
        load_config(SenderConfig, path, {})


def test_unknown_variables_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANTEL_CALSIGN", "DK1AB")
    with pytest.raises(UsageError, match="unknown environment variable PANTEL_CALSIGN"):
        load_config(SenderConfig, None, {})


def test_variables_of_the_other_daemon_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANTEL_EVENTS", "events.jsonl")
    assert "events" not in load_config(SenderConfig, None, {}).model_dump()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the configuration .*missing\.toml: No such file"):
        load_config(SenderConfig, tmp_path / "missing.toml", {})
    with pytest.raises(UsageError, match="is no TOML file"):
        load_config(SenderConfig, _file(tmp_path, "port: /dev/ttyUSB0"), {})
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is no TOML file"):
        load_config(SenderConfig, binary, {})


@pytest.mark.parametrize(("model", "name"), _MODELS)
def test_examples_hold_every_key_with_its_default(
    model: type[SenderConfig] | type[ReceiverConfig], name: str, tmp_path: Path
) -> None:
    text = files("pantel_device").joinpath("examples", name).read_text(encoding="utf-8")
    assert load_config(model, _file(tmp_path, text), {}) == load_config(model, None, {})
    assert set(model.model_fields) - set(tomllib.loads(text)) <= {"state_dir"}  # its default depends on the user
    assert all(f"{key} = " in text for key in model.model_fields)


@pytest.mark.parametrize(("model", "_name"), _MODELS)
def test_documentation_holds_every_key_with_its_default(
    model: type[SenderConfig] | type[ReceiverConfig], _name: str
) -> None:
    rows = _DOCUMENTATION.read_text(encoding="utf-8").splitlines()
    for key, field in model.model_fields.items():
        row = next((row for row in rows if row.startswith(f"| `{key}` |")), None)
        assert row is not None, f"{key} is missing in {_DOCUMENTATION.name}"
        assert field.description
        if key not in {
            "state_dir",
            "size_px",
            "crop",
            "zones",
            "class_weights",
            "web_names",
            "lines",
        } and field.default not in {
            "",
            True,
            (),
        }:
            text = str(field.default)
            assert f"| `{text.lower() if isinstance(field.default, bool) else text}` |" in row, row


@pytest.mark.parametrize(
    ("model", "name"), [(SenderConfig, "sender-mast.toml"), (ReceiverConfig, "receiver-home.toml")]
)
def test_examples_for_services_are_configurations(
    model: type[SenderConfig] | type[ReceiverConfig], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/pantel/some-name")
    text = files("pantel_device").joinpath("examples", "service", name).read_text(encoding="utf-8")
    config = load_config(model, _file(tmp_path, text), {})
    assert config.state_dir == Path("/var/lib/pantel/some-name")
    assert config.capture == ""  # nothing is written to a card unless somebody wants it
    # What is commented out can be had by taking the mark away.
    optional = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    assert optional != text
    assert load_config(model, _file(tmp_path, optional), {}) != config


def test_state_dir_is_where_systemd_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/var/lib/state")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/pantel/sender-mast:/var/lib/other")
    assert load_config(SenderConfig, None, {}).state_dir == Path("/var/lib/pantel/sender-mast")
    monkeypatch.setenv("STATE_DIRECTORY", "not/absolute")
    assert load_config(SenderConfig, None, {}).state_dir == Path("/var/lib/state/pantel")


def test_state_dir_follows_the_xdg_specification(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/var/lib/state")
    assert load_config(SenderConfig, None, {}).state_dir == Path("/var/lib/state/pantel")
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", "/home/op")
    assert load_config(SenderConfig, None, {}).state_dir == Path("/home/op/.local/state/pantel")
