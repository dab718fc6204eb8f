"""`pantel bench eyes`: what it is asked wrongly, and what its report says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pantel_device.cli import main


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "nothing to measure"),
        (["--images", "pictures"], "belong together"),
        (["--clip", "a.mp4"], "needs a --judge"),
        (["--clip", "a.mp4", "--judge", "none"], "needs a --judge"),
        (["--crossing", "--seconds", "5"], "first 5 s of --crossing do not count"),
        (["--crossing", "--seconds", "5.09"], "first 5 s of --crossing do not count"),
        (["--crossing", "--detect-every", "0"], "no number of frames"),
        (["--crossing", "--seed", "-1"], "no number"),
        (["--crossing", "--runs", "0"], "not between 1 and 100"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "eyes", *arguments]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert says in line


@pytest.mark.slow
def test_the_report_names_what_found_the_objects(tmp_path: Path) -> None:
    file = tmp_path / "eyes.json"
    assert (
        main(
            ["bench", "eyes", "--crossing", "--seconds", "6", "--detector", "none", "--runs", "2", "--json", str(file)]
        )
        == 0
    )
    runs = json.loads(file.read_text())["crossing"]
    assert [(run["detector"], run["detect_every"], run["seed"]) for run in runs] == [
        *(("none", 2, seed) for seed in range(2)),
        *(("true boxes", 1, seed) for seed in range(2)),
    ]
    assert all(run["seconds"] == 1.0 for run in runs)
