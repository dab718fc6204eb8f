"""What the configuration says of mistakes: which zone or value is guilty, and what to write instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pantel_device.command import UsageError
from pantel_device.config import SenderConfig, load_config

_HALF = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
_CORNERS = "corners are [x, y], shares of the picture's width and height from 0 to 1"


def _said(key: str, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        load_config(SenderConfig, None, {key: text})
    return str(caught.value)


def _zone(**more: object) -> dict[str, object]:
    return {"name": "gate", "kind": "alarm", "polygon": _HALF, **more}


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        (_zone(polygon=[[0, 0], [1, 1.4], [0, 1]]), f"cannot have 1.4 in corner 2 of its polygon; {_CORNERS}"),
        (_zone(polygon=[[0, 0], [1, 1], [0, "low"]]), f"cannot have 'low' in corner 3 of its polygon; {_CORNERS}"),
        (_zone(polygon=[[0, 0], [1], [0, 1]]), f"lacks a number in corner 2 of its polygon; {_CORNERS}"),
        (_zone(polygon=[[0, 0], [1, 1, 1], [0, 1]]), f"cannot have [1, 1, 1] in corner 2 of its polygon; {_CORNERS}"),
        (_zone(polygon="left"), f"cannot have 'left' as its polygon; {_CORNERS}"),
        (_zone(polygon=_HALF[:2]), "needs a polygon of at least three corners"),
        (_zone(polygon=500 * _HALF), "has a polygon of too many corners; leave some out"),
        (_zone(kind="alert"), "cannot have 'alert' as its kind: Input should be 'interest', 'alarm' or 'privacy'"),
        (_zone(colour=3), "has an unknown key 'colour'; known keys: name, kind, polygon, weight, classes, dwell_s"),
        (_zone(classes="person"), 'cannot have \'person\' as its classes; write a list such as ["person", "car"]'),
        (_zone(weight=2), "cannot be: weight belongs to zones of kind interest, not alarm"),
        ({"name": "gate", "polygon": _HALF}, "has no kind; give it one"),
    ],
)
def test_a_mistake_in_a_zone_names_the_zone_and_shows_no_other(zone: dict[str, object], said: str) -> None:
    other = {"name": "yard", "kind": "interest", "polygon": _HALF}
    assert _said("zones", json.dumps([other, zone])) == f"--zones: zone 'gate' {said}"


@pytest.mark.parametrize("name", [{}, {"name": ""}, {"name": 7}])
def test_a_zone_without_a_name_is_told_by_its_place(name: dict[str, object]) -> None:
    zone = {"kind": "alarm", "polygon": _HALF, **name}
    assert _said("zones", json.dumps([_zone(), zone])).startswith("--zones: zone 2 ")


def test_what_is_no_zone() -> None:
    keys = "name, kind, polygon, weight, classes, dwell_s"
    assert _said("zones", "[7]") == f"--zones: zone 1 cannot be 7; it is a table of {keys}"


def test_a_zone_of_a_file_is_named_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "z.toml"
    path.write_text('[[zones]]\nname = "gate"\nkind = "alarm"\npolygon = [[0, 0], [0, 7], [1, 1]]\n')
    with pytest.raises(UsageError) as caught:
        load_config(SenderConfig, path, {})
    assert str(caught.value) == f"zones in {path}: zone 'gate' cannot have 7 in corner 2 of its polygon; {_CORNERS}"


@pytest.mark.parametrize("text", ["abc", "[", "[" * 100_000, '{"name": "gate"}', "7"])
def test_zones_that_are_no_list_are_shown_how_to_write_one(text: str) -> None:
    line = _said("zones", text)
    assert 'write a list of zones, such as [{"name": "gate", ' in line
    assert len(line) < 300


def test_brackets_of_a_file_that_are_nested_too_deep(tmp_path: Path) -> None:
    path = tmp_path / "deep.toml"
    path.write_text(f"zones = {'[' * 100_000}")
    with pytest.raises(UsageError, match=r"deep\.toml is no TOML file: its brackets are nested too deep$"):
        load_config(SenderConfig, path, {})


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("crop", "0,0,1", "write left, top, width and height as shares of the picture, such as 0.25,0.25,0.5,0.5"),
        ("size_px", "320", "write width and height in pixels, such as 320x240"),
        ("class_weights", "person", "write classes and their weights, such as person=2,animal=0"),
        ("class_weights", "=2", "write classes and their weights, such as person=2,animal=0"),
        ("class_weights", "cat=2, cat=0", "cat has two weights; leave one of them out"),
    ],
)
def test_values_are_shown_how_to_be_written(key: str, text: str, said: str) -> None:
    assert _said(key, text) == f"--{key.replace('_', '-')} cannot be {text!r}: {said}"


def test_the_class_whose_weight_is_none_is_named() -> None:
    assert _said("class_weights", "cat=2,person=x").startswith("--class-weights cannot be 'cat=2,person=x': person: ")


def test_long_values_are_cut() -> None:
    assert len(_said("preset", 1000 * "light")) < 300
