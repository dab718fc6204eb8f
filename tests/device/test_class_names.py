"""Classes that an operator names: those that the detector tells, or a line that says which there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pytest

from pantel_device.class_names import check_class_names
from pantel_device.command import UsageError
from pantel_device.config import SenderConfig, load_config
from pantel_device.observer import open_detector

_EYES = ("person", "bicycle", "car", "vehicle", "animal")
_HALF = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]


def _config(*classes: str, weights: str = "") -> SenderConfig:
    zones = [
        {"name": "yard", "kind": "privacy", "polygon": _HALF},
        {"name": "gate", "kind": "alarm", "polygon": _HALF, "classes": classes},
    ]
    return load_config(SenderConfig, None, {"zones": json.dumps(zones), "class_weights": weights})


def _said(config: SenderConfig, told: Sequence[str]) -> str:
    with pytest.raises(UsageError) as caught:
        check_class_names(config, told)
    return str(caught.value)


def test_classes_that_the_detector_tells_are_taken() -> None:
    check_class_names(_config("person", "animal", weights="person=2,vehicle=0,unknown=0.5"), _EYES)


def test_a_zone_without_classes_needs_no_detector() -> None:
    check_class_names(_config(weights="unknown=0"), ())


@pytest.mark.parametrize("name", ["persn", "Person", "truck", "dog", "unknown", ""])
def test_a_zone_of_a_class_that_is_never_told_would_be_dead(name: str) -> None:
    assert _said(_config("person", name), _EYES) == (
        f"zone 'gate' names the class {name!r}, which the detector does not tell; "
        "it tells person, bicycle, car, vehicle, animal"
    )


def test_a_weight_of_a_class_that_is_never_told_would_do_nothing() -> None:
    line = _said(_config(weights="person=2,cat=0"), _EYES)
    assert line.startswith("class_weights names the class 'cat', which the detector does not tell; it tells person, ")


def test_without_a_detector_there_are_no_classes() -> None:
    assert _said(_config("person"), ()) == (
        "zone 'gate' names the class 'person', but without a detector there are none; "
        "leave its classes out, which takes whatever moves"
    )
    assert _said(_config(weights="person=2"), ()).endswith("; weigh 'unknown', which is whatever moves")


def test_of_hundreds_of_classes_not_all_are_listed() -> None:
    line = _said(_config("person"), [f"class {number}" for number in range(365)])
    assert line.endswith("class 29, …")


def test_the_documents_name_the_classes_of_the_bundled_detector() -> None:
    detector = open_detector("default")
    assert detector is not None
    assert detector.wanted == _EYES
    names = ", ".join(f"`{name}`" for name in _EYES[:-1]) + f" and `{_EYES[-1]}`"
    docs = Path(__file__).parents[2] / "docs"
    for document in ("operators.md", "configuration.md"):
        assert names in " ".join((docs / document).read_text(encoding="utf-8").split()), document
    assert ", ".join(_EYES) in files("pantel_device").joinpath("examples", "sender.toml").read_text(encoding="utf-8")
