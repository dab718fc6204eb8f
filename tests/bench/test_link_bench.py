from __future__ import annotations

import argparse
import json
from dataclasses import replace
from itertools import pairwise
from math import log2
from pathlib import Path

import numpy as np
import pytest

from pantel_bench.commands.bench import COMMAND
from pantel_bench.link import measure
from pantel_bench.link.cases import CASES, PUBLISHED, chosen_cases
from pantel_bench.link.line import Line
from pantel_bench.link.measure import Case, measure_row, packet_loss, symbols_for
from pantel_bench.link.page import to_html, to_table
from pantel_bench.link.report import LinkReport, to_json
from pantel_bench.link.traffic import air_time_ns, make_traffic
from pantel_device.command import UsageError
from pantel_link import Bursts, LengthClass, PacketKind, Preset, StreamProfile, wire_format
from pantel_link.stills.block import repairs_needed

STILL, LIVE = LengthClass.STILL, LengthClass.LIVE
BURSTS = Line(bursts=Bursts(mean_gap_octets=1000, mean_length_octets=10))


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    COMMAND.add_arguments(parser)
    return COMMAND.run(parser.parse_args([str(argument) for argument in arguments]))


def random() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.mark.parametrize("preset", Preset)
def test_without_errors_the_ratio_is_that_of_the_sizes(preset: Preset) -> None:
    still = measure_row(Case(preset, STILL, Line()), 120, seed=0)
    symbol_octets = wire_format(preset, STILL).payload_octets - 3
    assert (still.packets, still.packets_delivered, still.symbols) == (120, 120, 12)
    assert (still.stills, still.stills_complete, still.undetected_errors) == (10, 10, 0)
    wire_octets = wire_format(preset, STILL).wire_octets
    assert still.ratio == pytest.approx((12 * symbol_octets - 4) / (12 * wire_octets), rel=1e-12)
    live = measure_row(Case(preset, LIVE, Line()), 120, seed=0)
    assert (live.symbols, live.stills, live.stills_complete) == (None, None, None)
    assert live.ratio == pytest.approx(wire_format(preset, LIVE).payload_octets / 48, rel=1e-12)


def test_whole_packets_carry_no_parity() -> None:
    still = measure_row(Case(None, STILL, Line()), 120, seed=0)
    assert still.ratio == pytest.approx((12 * (120 - 3) - 4) / (12 * 128), rel=1e-12)
    live = measure_row(Case(None, LIVE, Line(erasure=0.3)), 300, seed=0)
    assert live.packets_delivered == pytest.approx(210, abs=30)
    assert live.goodput_bps == pytest.approx(live.packets_delivered / 300 * 40 / 48 * 960)
    assert live.capacity_bps == pytest.approx(0.7 * 960)


@pytest.mark.parametrize("preset", [None, Preset.LIGHT])
@pytest.mark.parametrize("length", [STILL, LIVE])
def test_a_line_that_swallows_everything(preset: Preset | None, length: LengthClass) -> None:
    row = measure_row(Case(preset, length, Line(erasure=1.0)), 20, seed=0)
    assert row.packets >= 20
    assert (row.packets_delivered, row.content_octets, row.undetected_errors) == (0, 0, 0)
    assert row.goodput_bps == row.capacity_bps == 0.0
    assert row.ratio is None


@pytest.mark.parametrize(
    ("line", "preset"), [(Line(1e-3), Preset.STANDARD), (Line(1e-3, 0.1), Preset.LIGHT), (BURSTS, Preset.STANDARD)]
)
def test_errors_cost_what_the_trial_foretells(line: Line, preset: Preset) -> None:
    case = Case(preset, STILL, line)
    row = measure_row(case, 300, seed=0)
    loss = packet_loss(case, 0)
    spread = (loss * (1 - loss) / row.packets) ** 0.5
    assert 1 - row.packets_delivered / row.packets == pytest.approx(loss, abs=4.5 * spread)
    assert row.symbols == symbols_for(case, 0) == 12 + repairs_needed(12, loss)
    assert row.stills is not None
    assert row.stills_complete is not None
    assert row.packets == row.stills * row.symbols
    assert row.stills_complete >= 0.85 * row.stills
    assert row.undetected_errors == 0
    assert row == measure_row(case, 300, seed=0)
    assert row != measure_row(case, 300, seed=1)


def test_the_trial_agrees_with_the_binomial_distribution() -> None:
    right = (1 - 1e-2) ** 8
    codeword = sum(
        each * (1 - right) ** wrong * right ** (45 - wrong) for wrong, each in enumerate((1, 45, 45 * 44 / 2))
    )
    assert packet_loss(Case(Preset.STANDARD, LIVE, Line(1e-2)), 0) == pytest.approx(1 - codeword, abs=0.015)
    assert packet_loss(Case(Preset.STANDARD, LIVE, Line()), 0) == 0.0
    assert packet_loss(Case(None, LIVE, Line(erasure=0.25)), 0) == pytest.approx(0.25, abs=0.015)


def test_lines_err_as_often_as_they_should() -> None:
    errors = Line(1e-2).errors(200_000, random())
    assert np.bitwise_count(errors).sum() == pytest.approx(16_000, rel=0.04)
    assert not Line().errors(1000, random()).any()
    assert (Line(1.0).errors(10, random()) == 0xFF).all()
    bursts = BURSTS.errors(500_000, random())
    assert np.bitwise_count(bursts).sum() == pytest.approx(500_000 * 8 * 0.3 * 10 / 1010, rel=0.1)
    where = np.flatnonzero(bursts)
    assert sum(after - before > 100 for before, after in pairwise(where)) == pytest.approx(500_000 / 1010, rel=0.15)
    assert Line(erasure=0.3).erased(10_000, random()).mean() == pytest.approx(0.3, abs=0.02)


def test_capacities_are_shannons() -> None:
    def entropy(p: float) -> float:
        return -p * log2(p) - (1 - p) * log2(1 - p)

    assert Line().capacity_share == 1.0
    assert Line(0.5).capacity_share == 0.0
    assert Line(1e-2, 0.3).capacity_share == pytest.approx(0.7 * (1 - entropy(1e-2)))
    assert BURSTS.capacity_share == pytest.approx((1000 + 10 * (1 - entropy(0.3))) / 1010)
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="no probability"):
            Line(wrong)


def test_introductions_come_every_15_s_and_do_not_count() -> None:
    traffic = make_traffic(StreamProfile(Preset.LIGHT), STILL, 60, 12, random())
    kinds = [sent.packet.kind for sent in traffic.packets]
    assert kinds[0] is PacketKind.IDENT
    assert len(traffic.measured) == 60
    begins = np.cumsum([0, *(len(sent.octets) for sent in traffic.packets)])
    idents_s = [air_time_ns(int(begins[k])) / 1e9 for k, kind in enumerate(kinds) if kind is PacketKind.IDENT]
    assert idents_s == pytest.approx([0.0, 15.0, 30.0, 45.0, 60.0], abs=1.1)
    assert [sent.packet.counter for sent in traffic.packets] == list(range(len(traffic.packets)))
    assert measure_row(Case(Preset.LIGHT, STILL, Line()), 60, seed=0).wire_octets == 60 * 131


@pytest.mark.parametrize("length", [STILL, LIVE])
def test_what_was_never_sent_is_an_undetected_error(length: LengthClass, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = measure._cross

    def forged(*arguments: object) -> object:
        for count, received in enumerate(honest(*arguments)):  # type: ignore[arg-type]
            payload = received.packet.payload
            if count == 1:
                payload = payload[:-1] + bytes([payload[-1] ^ 1])
            yield replace(received, packet=replace(received.packet, payload=payload))

    monkeypatch.setattr(measure, "_cross", forged)
    row = measure_row(Case(Preset.LIGHT, length, Line()), 24, seed=0)
    assert row.packets_delivered == 23
    if length is STILL:
        assert (row.stills_complete, row.undetected_errors) == (1, 2)  # the packet, and the still that it spoils
    else:
        assert row.undetected_errors == 1
        assert row.content_octets == 23 * 35


def test_the_rows_cover_every_preset_and_condition() -> None:
    streams = {(case.preset, case.length, case.line) for case in CASES if case.preset is not None}
    conditions = ((0.0, 0.0), (1e-3, 0.0), (1e-2, 0.0), (0.0, 0.1), (1e-3, 0.1), (1e-2, 0.1), (1e-2, 0.3))
    for ber, erasure in conditions:
        assert streams >= {(preset, length, Line(ber, erasure)) for preset in Preset for length in (STILL, LIVE)}
    assert {case.words for case in chosen_cases(["bursts", "heavy"])} == {
        frozenset(("stream", "heavy", length, "bursts")) for length in ("still", "live")
    }
    assert all(case.preset is None for case in chosen_cases(["packet"]))
    assert [each.ratio for each in PUBLISHED] == pytest.approx([0.801, 0.810, 0.197], abs=5e-4)


def test_the_best_preset_of_each_condition_is_marked() -> None:
    lines = (Line(), Line(1e-2), Line(erasure=1.0))
    rows = [measure_row(Case(preset, LIVE, line), 100, seed=0) for preset in Preset for line in lines]
    report = LinkReport(rows, seed=0, cpu_s=1.5)
    best = [row for row in json.loads(to_json(report))["rows"] if row["best"]]
    assert [(row["preset"], row["ber"]) for row in best if row["erasure"] == 0] == [("light", 0), ("heavy", 0.01)]
    assert len(best) == 3
    table = to_table(report).splitlines()
    assert sum(line.endswith("*") for line in table) == 3
    assert len(table) == 1 + len(rows) + len(PUBLISHED) + 1
    page = to_html(report).decode()
    assert "<svg" in page
    assert "http" not in page


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    json_file, report = tmp_path / "link.json", tmp_path / "link.html"
    assert run("link", "--packets", "60", "--rows", "packet", "--json", json_file, "--report", report) == 0
    content = json.loads(json_file.read_text())
    assert content["benchmark"] == "link"
    assert content["settings"] == {"bitrate_bps": 960, "content_symbols": 12, "seed": 0}
    assert len(content["rows"]) == 6
    for row in content["rows"]:
        assert row.keys() == {
            *("profile", "preset", "length", "ber", "erasure", "burst", "packets", "packets_delivered", "wire_octets"),
            *("symbols", "stills", "stills_complete", "content_octets", "goodput_bps", "capacity_bps", "ratio"),
            *("best", "undetected_errors"),
        }
        assert (row["profile"], row["preset"], row["burst"]) == ("packet", "none", "none")
        assert row["packets"] >= 60
        assert row["undetected_errors"] == 0
    assert [each["name"] for each in content["published"]] == ["SSDV with FEC"] * 3
    assert report.read_bytes().startswith(b"<!doctype html>")
    out, err = capsys.readouterr()
    assert "SSDV with FEC, published: 0.801" in out
    assert "bench link: 6/6" in err


@pytest.mark.parametrize(
    ("option", "value"), [("--packets", "0"), ("--packets", "x"), ("--seed", "-1"), ("--rows", "x")]
)
def test_options_must_be_possible(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("link", f"{option}={value}")
    assert stopped.value.code == 2
    assert option in capsys.readouterr().err


def test_rows_that_do_not_exist() -> None:
    with pytest.raises(UsageError, match="packet and heavy"):
        run("link", "--rows", "packet,heavy")


@pytest.mark.parametrize("option", ["--json", "--report"])
def test_a_place_that_cannot_be_written_is_found_before_the_work(option: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        run("link", option, tmp_path / "missing" / "file")
