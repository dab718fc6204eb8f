"""Stills: any K symbols are enough, a restart loses none, and nobody can fill the memory."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pantel_link import StreamContext
from pantel_link.stills import Fragment, PartialStill, StillAssembler, StillBlock, StillStore, rebuild, repair_symbol
from pantel_link.stills.block import repairs_needed
from pantel_link.stills.fragment import FragmentError

HOUR_NS = 3600 * 1_000_000_000
DATA = random.Random(1).randbytes(1000)


def payloads(count: int, *, number: int = 3, data: bytes = DATA, octets: int = 109) -> list[bytes]:
    block = StillBlock(number, data, octets, utc_s=1_800_000_000)
    return [block.next_payload() for _ in range(count)]


def take_all(assembler: StillAssembler, context: StreamContext, those: list[bytes]) -> list[PartialStill]:
    found = []
    for payload in those:
        still = assembler.take(context, Fragment.from_payload(payload), 0)
        if still is not None:
            found.append(still)
            if still.complete:
                assembler.finish(still)
    return found


def test_golden_symbols() -> None:
    content = [b"pantel", b"egraph", b"\0\1\2\3\4\5"]
    assert repair_symbol(content, 1) == b"egraph"
    assert [repair_symbol(content, index).hex() for index in (3, 4, 255)] == [
        "15071e161101",
        "e50cfbf39627",
        "1dae668fdbf1",
    ]


def test_repair_symbols_continue_the_polynomial() -> None:
    """Of degree 1 through (0, a) and (1, b): the value at 2 is a + 2 (a + b), by plain arithmetic in GF(256)."""
    a, b = 0x53, 0xCA
    doubled = (a ^ b) << 1
    doubled ^= 0x11D if doubled & 0x100 else 0
    assert repair_symbol([bytes([a]), bytes([b])], 2) == bytes([a ^ doubled])


@settings(deadline=None)
@given(st.data())
def test_any_symbols_rebuild_the_content(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 128))
    octets = data.draw(st.integers(1, 5))
    content = [data.draw(st.binary(min_size=octets, max_size=octets)) for _ in range(count)]
    chosen = data.draw(st.permutations(range(256)))[: count + data.draw(st.integers(0, 256 - count))]
    symbols = {index: repair_symbol(content, index) for index in chosen}
    assert rebuild(symbols, count) == content
    with pytest.raises(ValueError, match="symbols are needed"):
        rebuild(dict(itertools.islice(symbols.items(), count - 1)), count)


def test_a_still_grows_from_its_beginning_and_is_complete_with_any_symbols(context: StreamContext) -> None:
    sent = payloads(14)
    assembler = StillAssembler()
    grown = take_all(assembler, context, sent[:3])
    assert [each.data for each in grown] == [DATA[: 106 * n - 4] for n in (1, 2, 3)]
    assert not any(each.complete for each in grown)
    assert grown[0].utc_s == 1_800_000_000
    assert take_all(assembler, context, sent[5:11]) == []  # the fourth is missing, so nothing more is certain
    (whole,) = take_all(assembler, context, sent[12:])
    assert whole.complete
    assert whole.data.rstrip(b"\0") == DATA.rstrip(b"\0")
    assert (whole.symbols, whole.content_symbols, whole.block, whole.context) == (10, 10, 3, context)
    assert take_all(assembler, context, sent) == []  # stragglers


def test_stills_of_other_streams_and_formats_do_not_mix(context: StreamContext) -> None:
    assembler = StillAssembler()
    other = replace(context, epoch=context.epoch + 1)
    assert len(take_all(assembler, context, payloads(9))) == 9
    assert len(take_all(assembler, other, payloads(9, data=DATA[::-1]))) == 9
    assert len(take_all(assembler, context, payloads(9, octets=113))) == 9
    assert take_all(assembler, context, payloads(11)[10:])[0].data.startswith(DATA)
    assert take_all(assembler, other, payloads(11, data=DATA[::-1])[10:])[0].data.startswith(DATA[::-1])


def test_repair_symbols_never_end_and_a_large_file_is_refused() -> None:
    block = StillBlock(0, bytes(128 * 10 - 4), 13)
    indices = [Fragment.from_payload(block.next_payload()).index for _ in range(256 + 130)]
    assert indices == [*range(256), *range(128, 256), 128, 129]
    assert block.repairing
    with pytest.raises(ValueError, match="1276 bytes fit"):
        StillBlock(0, bytes(128 * 10 - 3), 13)


@pytest.mark.parametrize(
    ("symbols", "loss", "repairs"), [(12, 0.0, 0), (12, 0.003, 1), (12, 0.1, 5), (12, 0.3, 13), (1, 0.1, 1)]
)
def test_as_many_repairs_as_99_of_100_stills_need(symbols: int, loss: float, repairs: int) -> None:
    generator = random.Random(5)

    def arrives(total: int) -> bool:
        return sum(generator.random() >= loss for _ in range(total)) >= symbols

    assert repairs_needed(symbols, loss) == repairs
    assert sum(arrives(symbols + repairs) for _ in range(4000)) / 4000 >= 0.984
    assert repairs == 0 or sum(arrives(symbols + repairs - 1) for _ in range(4000)) / 4000 <= 0.994


def test_a_receiver_that_starts_again_goes_on(context: StreamContext, tmp_path: Path) -> None:
    sent = payloads(12)
    first = StillAssembler(StillStore(tmp_path))
    take_all(first, context, sent[:4] + sent[6:9])
    take_all(first, context, payloads(10, number=4))
    again = StillAssembler(StillStore(tmp_path))
    (whole,) = take_all(again, context, sent[9:])
    assert whole.complete
    assert whole.data.startswith(DATA)
    once_more = StillAssembler(StillStore(tmp_path))
    assert take_all(once_more, context, [*sent, *payloads(12, number=4)]) == []


def test_a_whole_still_that_was_not_kept_comes_again(context: StreamContext, tmp_path: Path) -> None:
    first = StillAssembler(StillStore(tmp_path))
    for payload in payloads(10):
        first.take(context, Fragment.from_payload(payload), 0)
    again = StillAssembler(StillStore(tmp_path))
    (still,) = again.whole()
    assert still.complete
    assert still.data.startswith(DATA)
    again.finish(still)
    once_more = StillAssembler(StillStore(tmp_path))
    assert once_more.whole() == take_all(once_more, context, payloads(12)) == []


def test_what_a_power_cut_or_another_program_left_is_skipped(context: StreamContext, tmp_path: Path) -> None:
    sent = payloads(11)
    take_all(StillAssembler(StillStore(tmp_path)), context, sent[:4])
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    (tmp_path / "zz-1-1-1.part").write_bytes(b"x")
    (tmp_path / "ff-1-1-1.part").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("mine")
    assembler = StillAssembler(StillStore(tmp_path))
    assert take_all(assembler, context, sent[4:8]) == []
    again = StillAssembler(StillStore(tmp_path))  # what was written behind the cut is where it belongs
    assert take_all(again, context, sent[8:10]) == []
    assert take_all(again, context, sent[10:])[0].data.startswith(DATA)
    assert (tmp_path / "notes.txt").exists()


@pytest.mark.parametrize("fill", [b"", b"\0", b"\xff"])
def test_symbols_that_a_power_cut_tore_are_not_believed(
    fill: bytes, context: StreamContext, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sent = payloads(10)
    take_all(StillAssembler(StillStore(tmp_path)), context, sent[:4])
    (path,) = tmp_path.iterdir()
    octets = path.read_bytes()
    record = len(octets) // 4
    for length in range(0, len(octets), 5):
        caplog.clear()
        torn = octets[:length] + fill * (len(octets) - length)
        path.write_bytes(torn)
        loaded = StillStore(tmp_path).load()
        assert [list(symbols) for _, symbols in loaded] == [list(range(length // record))][: length // record]
        assert len(caplog.records) == (len(torn) != length // record * record)
        assert path.exists() == bool(loaded)
        assert StillStore(tmp_path).load() == loaded
        assert len(caplog.records) <= 1


def test_what_is_kept_is_bounded_by_count_and_age(context: StreamContext, tmp_path: Path) -> None:
    assembler = StillAssembler(StillStore(tmp_path))
    for number in range(140):
        take_all(assembler, context, payloads(2, number=number))
    assert len(list(tmp_path.iterdir())) == 128
    assembler.take(context, Fragment.from_payload(payloads(1, number=200)[0]), HOUR_NS + 1)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_costs_the_restart_and_not_the_still(
    context: StreamContext, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "file"
    folder.write_text("in the way")
    assembler = StillAssembler(StillStore(folder))
    assert take_all(assembler, context, payloads(10))[-1].complete
    assert caplog.text.count("cannot write") == 1


@given(st.binary(max_size=120))
def test_noise_is_a_fragment_or_its_one_error(noise: bytes) -> None:
    try:
        fragment = Fragment.from_payload(noise)
    except FragmentError:
        return
    assert fragment.to_payload() == noise
    StillAssembler().take(StreamContext(0, "N0CALL", 1, bytes(3), 32, 32), fragment, 0)
