from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pantel_bench.anchors import read_anchors
from pantel_bench.errors import AnchorError, ContractError, LogError
from pantel_bench.metrics import METRICS, Scores
from pantel_bench.peers import PEER_FORMATS
from pantel_bench.pictures import SourcePicture
from pantel_bench.still import PeerChoice, StillRow, Unreached, budget_bytes, measure_codec, measure_peer
from pantel_bench.still_experiments import experiment_rows, experiments_of
from pantel_bench.still_log import entries_of, log_to_csv, read_log
from pantel_bench.still_operations import encode_macs_per_pixel
from pantel_bench.still_page import to_html, to_table
from pantel_bench.still_report import ModelFigures, StillReport, to_json
from pantel_bench.still_sets import SetScores, measure_sets
from pantel_bench.still_sheet import contact_sheet, hardest_first
from pantel_bench.summary import curve, means, rate_differences
from pantel_device.frame import Box
from pantel_models import BudgetError, DecodedStill, find_artefact, macs_per_pixel

PSNR = METRICS[0]
SIDE_PX = 256


class ThumbnailCodec:
    """Sends a grey thumbnail, as large as the budget allows."""

    def __init__(self, *, excess_bytes: int = 0, complete: bool = True) -> None:
        self.excess_bytes = excess_bytes
        self.complete = complete

    def encode(self, pixels: NDArray[np.uint8], budget_bytes: int) -> bytes:
        side = int(budget_bytes**0.5)
        if side < 4:
            raise BudgetError("a thumbnail needs 16 bytes")
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        thumbnail = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
        return bytes(thumbnail) + bytes(self.excess_bytes)

    def decode(self, data: bytes) -> DecodedStill:
        side = int(len(data) ** 0.5)
        thumbnail = np.frombuffer(data[: side * side], np.uint8).reshape(side, side)
        grey = cv2.resize(thumbnail, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_LINEAR)
        return DecodedStill(np.repeat(grey[..., None], 3, axis=2), True, self.complete, None)

    def information_bits(self, data: bytes) -> float:
        return 8.0 * int(len(data) ** 0.5) ** 2


class Judge:
    """Finds a person where the picture is coloured, and a chair anywhere."""

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Box, ...]:
        coloured = bool(np.ptp(pixels.astype(int), axis=2).mean() > 1)
        return (Box(10, 10, 20, 40, "person"),) * coloured + (Box(0, 0, 9, 9, "chair"),)


@pytest.fixture(scope="module")
def picture(scene: NDArray[np.uint8]) -> SourcePicture:
    return SourcePicture("scene", scene)


@pytest.fixture(scope="module")
def rows(picture: SourcePicture) -> list[StillRow]:
    rates = (0.1, 0.05, 0.02)
    found = [*measure_codec("pantel-test", ThumbnailCodec(), picture, rates, None)]
    found += measure_peer(PEER_FORMATS[1], picture, rates, None)
    assert all(isinstance(row, StillRow) for row in found)
    return [row for row in found if isinstance(row, StillRow)]


@pytest.fixture(scope="module")
def report(rows: list[StillRow], picture: SourcePicture) -> StillReport:
    return StillReport(
        size="256",
        rates_bpp=(0.1, 0.05, 0.02),
        images=["scene"],
        models=ModelFigures("test-v1", "ab" * 32, 5000.0, 1900.0, 1400.0),
        rows=rows,
        unreached=[Unreached("webp", "<scene>", 0.001)],
        published=[],
        sources={"scene": picture.pixels},
        sets=measure_sets(rows, {"scene": picture.pixels}, None, Judge()),
    )


def test_budgets_are_whole_bytes() -> None:
    pixels = np.zeros((256, 256, 3), np.uint8)
    assert [budget_bytes(pixels, bpp) for bpp in (0.1, 0.05, 0.03, 0.02, 0.01)] == [819, 409, 245, 163, 81]


def test_rows_of_a_codec(rows: list[StillRow]) -> None:
    ours = [row for row in rows if row.codec == "pantel-test"]
    assert [row.bytes_needed for row in ours] == [28**2, 20**2, 12**2]
    assert all(row.file_bytes == row.bytes_needed and row.encode_ms and row.decode_ms for row in ours)
    assert ours[0].bpp == pytest.approx(8 * 784 / 65536)
    quality = [row.scores.psnr_db for row in ours]
    assert quality == sorted(quality, key=lambda value: value or 0.0, reverse=True)


def test_rows_of_a_peer_have_the_best_of_every_metric(rows: list[StillRow]) -> None:
    for row in (row for row in rows if row.codec == "webp"):
        assert row.chosen.keys() == {"psnr_db", "ms_ssim", "haarpsi", "gmsd", "contour_f1", "grid_ratio"}
        assert row.bytes_needed == row.chosen["psnr_db"].bytes_needed < row.file_bytes
        for metric in METRICS:
            if metric.key in row.chosen:
                expected = 8 * row.chosen[metric.key].bytes_needed / 65536
                assert row.bpp_of(metric) == pytest.approx(expected)
                assert expected <= row.target_bpp


def test_a_rate_that_cannot_be_reached(picture: SourcePicture) -> None:
    unreached = [Unreached("x", "scene", 0.001)]
    assert list(measure_codec("x", ThumbnailCodec(), picture, [0.001], None)) == unreached
    assert list(measure_peer(replace(PEER_FORMATS[0], name="x"), picture, [0.001], None)) == unreached


@pytest.mark.parametrize("codec", [ThumbnailCodec(excess_bytes=99), ThumbnailCodec(complete=False)])
def test_a_codec_that_breaks_its_promise(codec: ThumbnailCodec, picture: SourcePicture) -> None:
    with pytest.raises(ContractError, match="scene"):
        list(measure_codec("x", codec, picture, [0.05], None))


def make_row(codec: str, image: str, target_bpp: float, psnr_db: float | None) -> StillRow:
    scores = Scores(psnr_db, 0.5, None, 0.5, 0.2, 0.5, 1.0)
    return StillRow(codec, image, target_bpp, 100, 120, target_bpp, None, scores, None, None, {})


def test_means_count_their_pictures() -> None:
    found = means([make_row("a", "1", 0.1, 20.0), make_row("a", "2", 0.1, 30.0), make_row("a", "1", 0.2, 31.0)])
    assert [(mean.target_bpp, mean.images, mean.scores.psnr_db) for mean in found] == [(0.1, 2, 25.0), (0.2, 1, 31.0)]
    assert found[0].scores.lpips is None


def test_curves_leave_out_rates_at_which_a_picture_is_missing() -> None:
    rows = [make_row("a", "1", 0.1, 20.0), make_row("a", "2", 0.1, 30.0), make_row("a", "1", 0.2, 31.0)]
    assert np.allclose(curve(rows, "a", PSNR), [(0.1, 25.0)])


def test_a_curve_stands_at_the_rates_of_its_metric() -> None:
    choice = PeerChoice(downscale=1, quality=1, bytes_needed=50, file_bytes=60)
    row = replace(make_row("a", "1", 0.1, 20.0), chosen={"psnr_db": choice})
    assert np.allclose(curve([row], "a", PSNR), [(0.05, 20.0)])


def test_rate_differences_are_ours_against_others() -> None:
    rows = [make_row("webp", "1", rate, 20 + 100 * rate) for rate in (0.1, 0.05)]
    rows += [make_row("pantel-x", "1", rate, 20 + 200 * rate) for rate in (0.1, 0.05, 0.02)]
    (difference,) = rate_differences(rows)
    assert (difference.codec, difference.anchor, difference.metric) == ("pantel-x", "webp", "psnr_db")
    assert -55 < difference.percent < -45


def test_json_has_the_promised_keys(report: StillReport) -> None:
    content = json.loads(to_json(report))
    promised = {"codec", "image", "target_bpp", "bytes", "file_bytes", "bpp", "psnr_db", "ms_ssim", "lpips",
                "haarpsi", "gmsd", "contour_f1", "grid_ratio"}  # fmt: skip
    assert len(content["rows"]) == 6
    assert all(promised <= row.keys() for row in content["rows"])
    assert content["models"]["generator_mac_per_pixel"] == 1900.0
    assert content["models"]["encoder_mac_per_pixel"] == 5000.0
    assert content["rows"][0]["lpips"] is None
    assert content["unreached"] == [{"codec": "webp", "image": "<scene>", "target_bpp": 0.001}]
    assert {mean["codec"] for mean in content["means"]} == {"pantel-test", "webp"}


def test_every_json_key_is_documented(report: StillReport) -> None:
    text = (Path(__file__).parents[2] / "docs" / "reports.md").read_text()

    def check(value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                assert f"`{key}`" in text, f"docs/reports.md does not explain {key}"
                check(inner)
        elif isinstance(value, list):
            for inner in value:
                check(inner)

    content = json.loads(to_json(report))
    del content["versions"]  # its keys are names of packages
    check(content)


def test_the_table_has_a_line_for_every_mean(report: StillReport) -> None:
    lines = to_table(report).splitlines()
    assert len(lines) == 1 + 6 + 2
    assert lines[1].startswith("pantel-test")
    assert "generator 1900 MAC/pixel, enlarger 1400" in lines[-2]
    assert lines[-1] == "webp cannot encode <scene> at 0.001 bit/pixel"


def test_what_is_found_again_counts(report: StillReport) -> None:
    """Our codec of these tests sends grey pictures, in which the judge finds nobody."""
    found = {(each.codec, each.target_bpp): each for each in report.sets}
    assert found["pantel-test", 0.1] == SetScores("pantel-test", 0.1, 1, None, 0.0, 1)
    assert found["webp", 0.1] == SetScores("webp", 0.1, 1, None, 1.0, 1)
    assert len(found) == 6


def test_sets_without_objects_have_no_recall(rows: list[StillRow], picture: SourcePicture) -> None:
    grey = np.repeat(picture.pixels[..., :1], 3, axis=2)
    (first, *_) = measure_sets(rows, {"scene": grey}, None, Judge())
    assert (first.object_recall, first.objects) == (None, 0)


def test_contact_sheets_show_the_hardest_picture_first(rows: list[StillRow], picture: SourcePicture) -> None:
    (row,) = (row for row in rows if (row.codec, row.target_bpp) == ("pantel-test", 0.05))
    easy = replace(row, image="easy", scores=replace(row.scores, ms_ssim=0.99), pixels=picture.pixels[:64, :96])
    both = [*rows, easy]
    assert hardest_first(both, "pantel-test", 0.05) == ["scene", "easy"]
    data = contact_sheet(both, {"scene": picture.pixels, "easy": picture.pixels[:64, :96]}, 0.05, ["scene", "easy"])
    sheet = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert sheet is not None
    assert sheet.shape == (2 * 260 - 4, 3 * 260 - 4, 3)
    assert np.abs(sheet[:256, :256].astype(int) - picture.pixels).mean() < 6
    assert (sheet[260:, 530:] == 255).all()  # WebP was not asked for this one


def test_the_page_needs_no_other_file(report: StillReport) -> None:
    page = to_html(report).decode()
    assert page.count("data:image/png;base64,") == 6  # no LPIPS
    assert page.count("data:image/webp;base64,") == 3
    assert "object recall" in page
    assert "http:" not in page
    assert "https:" not in page


def test_published_figures_join_the_report(report: StillReport, tmp_path: Path) -> None:
    path = tmp_path / "anchors.csv"
    header = "image,codec,target_bpp,select,scale,q,need_bytes,file_bytes,need_bpp,psnr,msssim,lpips\n"
    lines = [
        f"{image},{codec},{bpp},{select},2,20,{need},{need + 95},{need / 8192},{psnr},0.8,0.5\n"
        for image in ("scene", "other")
        for codec in ("vvc", "webp")
        for bpp, need, psnr in ((0.1, 800, 26.0), (0.05, 400, 24.0))
        for select in ("psnr", "msssim", "lpips")
    ]
    path.write_text(header + "".join(lines))
    published = read_anchors(path, {"scene"}, besides={"webp"})
    assert [(row.codec, row.image, row.target_bpp) for row in published] == [
        ("vvc (published)", "scene", 0.1),
        ("vvc (published)", "scene", 0.05),
    ]
    assert published[0].scores == Scores(26.0, 0.8, 0.5, None, None, None, None)
    content = json.loads(to_json(replace(report, published=published)))
    assert len(content["published_means"]) == 2
    assert len(content["rows"]) == 6


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "image,codec,target_bpp,select\nscene,vvc,much,psnr\n",
        "image,codec,target_bpp,select\nscene,vvc,0.1,psnr\n",
    ],
)
def test_a_table_that_is_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "anchors.csv"
    path.write_text(text)
    with pytest.raises(AnchorError):
        read_anchors(path, {"scene"}, besides=())
    with pytest.raises(AnchorError):
        read_anchors(tmp_path / "missing.csv", {"scene"}, besides=())


def test_a_log_grows_by_the_means_of_ours(report: StillReport, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    assert read_log(path) == []
    for label in ("first", "second, with a comma"):
        path.write_bytes(log_to_csv([*read_log(path), *entries_of(report, label)]))
    log = read_log(path)
    assert [(entry.label, entry.codec, entry.target_bpp) for entry in log] == [
        (label, "pantel-test", rate) for label in ("first", "second, with a comma") for rate in (0.1, 0.05, 0.02)
    ]
    expected = means(report.rows)[0]
    assert log[0].psnr_db == pytest.approx(expected.scores.psnr_db, abs=1e-3)
    assert (log[0].lpips, log[0].model, log[0].pictures) == (None, "test-v1 abababab", "1 at 256")


def test_experiments_are_compared_with_the_latest(report: StillReport) -> None:
    new = entries_of(report, "now")
    rarer = [entry.model_copy(update={"label": "half the rate", "bpp": entry.bpp / 2}) for entry in new]
    other = [entry.model_copy(update={"label": "elsewhere", "pictures": "24 at native"}) for entry in new]
    twice = [entry.model_copy(update={"ms_ssim": 0.1}) for entry in rarer]  # run again: the latter counts
    log = [*twice, *rarer, *other, *new]
    experiments = experiments_of(log, "1 at 256")
    assert [(each.label, len(each.entries)) for each in experiments] == [("half the rate", 3), ("now", 3)]
    first, second = experiment_rows(experiments)
    assert first[-1] == "+100.0 %"
    assert second[-1] == "latest"
    assert second[4].split(" / ")[0] == f"{new[0].ms_ssim:.4f}"
    page = to_html(report, log).decode()
    assert "half the rate" in page
    assert "elsewhere" not in page
    assert page.count("data:image/png;base64,") == 7


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "date,label\nx,y\n", "target_bpp\nmuch\n"])
def test_another_file_is_no_log(tmp_path: Path, text: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(LogError, match="no log of still benchmarks"):
        read_log(path)


def test_operations_of_encoding_count_every_attempt(picture: SourcePicture) -> None:
    artefact = find_artefact()
    roles = ("encoder", "faithful", "enlarger")
    counts = {role: macs_per_pixel(artefact.folder / artefact.files[role]) for role in roles}
    once = encode_macs_per_pixel(artefact, counts, picture, 0.1)
    twice = encode_macs_per_pixel(artefact, counts | {"encoder": 2 * counts["encoder"]}, picture, 0.1)
    assert once is not None
    assert twice is not None
    assert once > counts["encoder"]
    assert twice >= once + counts["encoder"] - 1
    assert encode_macs_per_pixel(artefact, counts, picture, 1e-4) is None
