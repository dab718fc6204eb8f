"""The range coder: its format, and that its two implementations are one."""

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pantel_codec import range_coder
from pantel_codec.errors import CodecError, SymbolError
from pantel_codec.range_coder import (
    PRECISION_BITS,
    Backend,
    CodingTable,
    Padding,
    RangeDecoder,
    RangeEncoder,
    make_decoder,
    make_encoder,
)

Message = list[tuple[list[int], CodingTable]]
"""Batches of symbols, each with its table."""

needs_constriction = pytest.mark.skipif(
    find_spec("constriction") is None,
    reason="constriction is not installed",
)
each_backend = pytest.mark.parametrize("backend", ["python", pytest.param("constriction", marks=needs_constriction)])
INSTALLED: tuple[Backend, ...] = ("python", "constriction") if find_spec("constriction") else ("python",)
PADDINGS: tuple[Padding, ...] = (0, 1)

TOTAL = 1 << PRECISION_BITS
NEARLY_CERTAIN = CodingTable(np.array([0, TOTAL - 1, TOTAL], np.uint32))
NEARLY_IMPOSSIBLE = CodingTable(np.array([0, 1, TOTAL], np.uint32))
BOTH_ENDS = CodingTable(np.array([0, 1, TOTAL - 1, TOTAL], np.uint32))
SKEWED = CodingTable.from_counts([0, 1, 2, 5])
SINGLE = CodingTable.uniform(1)


def encode(message: Message, backend: Backend) -> RangeEncoder:
    encoder = make_encoder(backend)
    for symbols, table in message:
        encoder.encode(np.array(symbols, np.int32), table)
    return encoder


def decode(decoder: RangeDecoder, message: Message) -> list[list[int]]:
    return [decoder.decode(len(symbols), table).tolist() for symbols, table in message]


def symbols_of(message: Message) -> list[list[int]]:
    return [symbols for symbols, _ in message]


def flat(batches: Sequence[list[int]]) -> list[int]:
    return [symbol for batch in batches for symbol in batch]


def random_message(rng: np.random.Generator, max_batches: int) -> Message:
    """Draw alphabets from one to 300 symbols, from flat to nearly certain, and symbols that follow them."""
    message: Message = []
    for _ in range(rng.integers(max_batches + 1)):
        size = int(np.exp(rng.uniform(0, np.log(300))))
        counts = np.exp(rng.normal(0, rng.uniform(0, 8), size)) * 1e6
        table = CodingTable.from_counts(np.minimum(counts, 1e9).astype(np.int64) + 1)
        if rng.random() < 0.5:
            symbols = rng.choice(size, rng.integers(20), p=np.diff(table.cdf) / TOTAL)
        else:
            symbols = rng.integers(size, size=rng.integers(20))
        message.append((symbols.tolist(), table))
    return message


@st.composite
def tables(draw: st.DrawFn) -> CodingTable:
    extreme = st.sampled_from([NEARLY_CERTAIN, NEARLY_IMPOSSIBLE, BOTH_ENDS, SINGLE, CodingTable.uniform(256)])
    counts = st.lists(st.integers(0, 9) | st.integers(0, 1 << 30), min_size=1, max_size=12).filter(any)
    return draw(extreme | counts.map(CodingTable.from_counts))


def bit_fields() -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(0, 70).flatmap(lambda n: st.tuples(st.integers(0, (1 << n) - 1), st.just(n)))


@st.composite
def messages(draw: st.DrawFn) -> Message:
    message = []
    for table in draw(st.lists(tables(), max_size=12)):
        symbols = draw(st.lists(st.integers(0, table.size - 1), max_size=12))
        message.append((symbols, table))
    return message


# The format


@each_backend
@pytest.mark.parametrize(
    ("message", "stream"),
    [
        ([], ""),
        ([([], SKEWED), ([0, 0, 0], SINGLE)], ""),
        ([([3, 3, 3, 3, 3, 3, 2, 1, 3], SKEWED)], "f3"),
        ([([0, 1, 2, 3], SKEWED)], "00000007"),
        ([([0], NEARLY_IMPOSSIBLE)], ""),
        ([([1], NEARLY_CERTAIN)], "ffffff"),
        ([([0] * 1000, NEARLY_CERTAIN)], ""),
        ([([1, 2, 1, 0, 1, 2], BOTH_ENDS)], "fffffdffff03fffcfe01"),
    ],
)
def test_golden_streams(backend: Backend, message: Message, stream: str) -> None:
    assert encode(message, backend).to_bytes().hex() == stream


@each_backend
def test_golden_bit_fields(backend: Backend) -> None:
    encoder = make_encoder(backend)
    encoder.encode_bits(0x123, 12)
    encoder.encode_bits(0xDEADBEEF, 32)
    encoder.encode_bits(0, 0)
    encoder.encode_bits(5, 4)
    assert encoder.to_bytes().hex() == "123deadbec6a"
    decoder = make_decoder(encoder.to_bytes(), backend=backend)
    assert [decoder.decode_bits(bits) for bits in (12, 32, 0, 4)] == [0x123, 0xDEADBEEF, 0, 5]


@each_backend
@given(message=messages())
def test_round_trip(backend: Backend, message: Message) -> None:
    stream = encode(message, backend).to_bytes()
    assert decode(make_decoder(stream, backend=backend), message) == symbols_of(message)


@each_backend
@given(fields=st.lists(st.integers(0, 70).flatmap(lambda n: st.tuples(st.integers(0, (1 << n) - 1), st.just(n)))))
def test_round_trip_of_bit_fields(backend: Backend, fields: list[tuple[int, int]]) -> None:
    encoder = make_encoder(backend)
    for value, bits in fields:
        encoder.encode_bits(value, bits)
    assert encoder.information_bits == pytest.approx(sum(bits for _, bits in fields), abs=0.1)
    decoder = make_decoder(encoder.to_bytes(), backend=backend)
    assert [decoder.decode_bits(bits) for _, bits in fields] == [value for value, _ in fields]


@each_backend
def test_to_bytes_leaves_the_encoder_as_it_is(backend: Backend) -> None:
    encoder = encode([([1, 2, 3], SKEWED)], backend)
    assert encoder.to_bytes() == encoder.to_bytes()
    encoder.encode([0, 3], SKEWED)
    assert encoder.to_bytes() == encode([([1, 2, 3, 0, 3], SKEWED)], backend).to_bytes()


@given(messages())
def test_no_shorter_stream_lies_in_the_final_interval(message: Message) -> None:
    stream = encode(message, "python").to_bytes()
    assert not stream.endswith(b"\0")
    value = int.from_bytes(stream, "big")
    # Of the shorter streams only the neighbours can lie in the same interval. One may lie in the gap above it
    # and decode alike, for the gap decodes as last symbols.
    for neighbour in (value >> 8, (value >> 8) + 1):
        if stream and neighbour < 1 << 8 * (len(stream) - 1):
            decoder = make_decoder(neighbour.to_bytes(len(stream) - 1, "big"), backend="python")
            assert decode(decoder, message) != symbols_of(message) or decoder._in_gap


def test_streams_of_20_to_120_bytes_cost_at_most_half_a_byte_above_the_ideal() -> None:
    rng = np.random.default_rng(20)
    overheads: list[float] = []
    codebook = [CodingTable.from_counts(rng.integers(1, 1000, size) ** 3) for size in range(2, 40)]
    for _ in range(3000):
        limit_bits = 8 * rng.uniform(20, 120)
        encoder = make_encoder()
        ideal_bits = 0.0
        while ideal_bits < limit_bits:
            table = codebook[rng.integers(len(codebook))]
            symbols = rng.choice(table.size, 8, p=np.diff(table.cdf) / TOTAL).astype(np.int32)
            encoder.encode(symbols, table)
            ideal_bits += float(table.cost_bits[symbols].sum())
        assert 0 <= encoder.information_bits - ideal_bits < 0.2
        overheads.append(len(encoder.to_bytes()) - ideal_bits / 8)
    assert np.mean(overheads) <= 0.35
    assert max(overheads) <= 1.1


# One behaviour


def assert_same_streams(message: Message) -> None:
    python, constriction = encode(message, "python"), encode(message, "constriction")
    assert python.to_bytes() == constriction.to_bytes()
    assert python.information_bits == constriction.information_bits


@needs_constriction
@given(messages())
@settings(max_examples=300)
def test_both_encoders_write_the_same_bytes(message: Message) -> None:
    assert_same_streams(message)


@needs_constriction
@pytest.mark.slow
def test_both_encoders_write_the_same_bytes_in_10000_random_cases() -> None:
    rng = np.random.default_rng(2)
    for _ in range(10_000):
        message = random_message(rng, max_batches=8)
        assert_same_streams(message)
        stream = encode(message, "python").to_bytes()
        for backend in INSTALLED:
            assert decode(make_decoder(stream, backend=backend), message) == symbols_of(message)


@needs_constriction
@pytest.mark.parametrize("edge", [b"\x7f" + b"\xff" * 60, b"\x80" + b"\x00" * 60, b"\x80" + b"\x00" * 40 + b"\1"])
@pytest.mark.parametrize("table", [SKEWED, CodingTable.uniform(3), CodingTable.from_counts([1, 1000, 1])])
def test_a_carry_through_many_words(edge: bytes, table: CodingTable) -> None:
    """Symbols read from a stream at a word's edge keep the encoder's next words undecided until the end."""
    straddling = make_decoder(edge, backend="python").decode(200, table).tolist()
    for length in range(0, 201, 7):
        for last in range(table.size):
            message: Message = [(straddling[:length], table), ([last] * 9, table)]
            assert_same_streams(message)
            stream = encode(message, "constriction").to_bytes()
            assert decode(make_decoder(stream, backend="python"), message) == symbols_of(message)


@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 40), tables()), max_size=12))
@example(b"", [(40, SKEWED)])
@example(b"\xff" * 9, [(3, SKEWED), (40, NEARLY_CERTAIN), (2, SINGLE)])
@settings(max_examples=300)
def test_any_bytes_decode_to_the_same_symbols(noise: bytes, reads: list[tuple[int, CodingTable]]) -> None:
    for padding in PADDINGS:
        results = []
        for backend in INSTALLED:
            decoder = make_decoder(noise, padding=padding, backend=backend)
            symbols = [decoder.decode(count, table) for count, table in reads]
            for batch, (count, table) in zip(symbols, reads, strict=True):
                assert batch.dtype == np.int32
                assert batch.shape == (count,)
                assert np.all((batch >= 0) & (batch < table.size))
            results.append([batch.tolist() for batch in symbols])
        assert all(result == results[0] for result in results)


@each_backend
@pytest.mark.parametrize("padding", PADDINGS)
def test_padding_has_no_end(backend: Backend, padding: Padding) -> None:
    """What follows the data is the same as if it were there, for far more symbols than the data holds."""
    data, table = b"pantelegraph", CodingTable.from_counts([3, 1, 1, 1, 1, 1, 1, 3])
    decoder = make_decoder(data, padding=padding, backend=backend)
    written_out = make_decoder(data + (b"\xff" if padding else b"\0") * 4000, backend="python")
    for count in (1, 20, 2000, 5, 3000, 5000):
        assert np.array_equal(decoder.decode(count, table), written_out.decode(count, table))


@each_backend
def test_padding_with_ones_agrees_with_ones_written_out_for_certain_symbols(backend: Backend) -> None:
    decoder = make_decoder(b"\x12", padding=1, backend=backend)
    written_out = make_decoder(b"\x12" + b"\xff" * 4000, backend="python")
    for count in (100_000, 3, 300_000):
        expected = written_out.decode(count, NEARLY_CERTAIN)
        assert np.array_equal(decoder.decode(count, NEARLY_CERTAIN), expected)


def gap_streams() -> Iterator[bytes]:
    """Yield noise that runs into the gap where no encoder goes, within 400 symbols."""
    rng = np.random.default_rng(5)
    while True:
        noise = rng.bytes(100)
        decoder = make_decoder(noise, backend="python")
        decoder.decode(400, SKEWED)
        if decoder._in_gap:
            yield noise


@each_backend
def test_the_gap_decodes_as_last_symbols(backend: Backend) -> None:
    for noise, _ in zip(gap_streams(), range(10), strict=False):
        decoder = make_decoder(noise, backend=backend)
        expected = make_decoder(noise, backend="python")
        for count in (7, 300, 93):
            assert np.array_equal(decoder.decode(count, SKEWED), expected.decode(count, SKEWED))
        assert set(decoder.decode(50, SKEWED).tolist()) == {SKEWED.size - 1}
        assert decoder.decode_bits(12) == 0xFFF


# Truncated streams


@each_backend
@given(message=messages())
@settings(max_examples=50)
def test_what_both_paddings_agree_on_is_true(backend: Backend, message: Message) -> None:
    stream = encode(message, backend).to_bytes()
    truth = flat(symbols_of(message))
    for length in range(len(stream) + 1):
        zeros, ones = (
            flat(decode(make_decoder(stream[:length], padding=padding, backend=backend), message))
            for padding in PADDINGS
        )
        differing = (i for i, pair in enumerate(zip(zeros, ones, strict=True)) if pair[0] != pair[1])
        certain = next(differing, len(truth))
        assert zeros[:certain] == truth[:certain]


def test_a_prefix_tells_nearly_all_that_its_bytes_can_hold() -> None:
    rng = np.random.default_rng(8)
    table = CodingTable.from_counts([1, 4, 9, 30, 9, 4, 1])
    symbols = rng.choice(table.size, 300, p=np.diff(table.cdf) / TOTAL).tolist()
    stream = encode([(symbols, table)], "python").to_bytes()
    spent_bits = np.concatenate([[0], np.cumsum(table.cost_bits[symbols])])
    unused_bits = []
    for length in range(len(stream)):
        zeros, ones = (make_decoder(stream[:length], padding=p).decode(300, table) for p in PADDINGS)
        certain = int(np.argmax(zeros != ones))
        unused_bits.append(8 * length - spent_bits[certain])
    assert np.mean(unused_bits) < 4


# Mistakes of the caller


@each_backend
@pytest.mark.parametrize(
    "mistake",
    [
        lambda encoder: encoder.encode([0, 4], SKEWED),
        lambda encoder: encoder.encode([-1], SKEWED),
        lambda encoder: encoder.encode([1], SINGLE),
        lambda encoder: encoder.encode([1 << 40], SKEWED),
        lambda encoder: encoder.encode(np.array([1, 2]), SKEWED),
        lambda encoder: encoder.encode(np.zeros((2, 2), np.int32), SKEWED),
        lambda encoder: encoder.encode_bits(8, 3),
        lambda encoder: encoder.encode_bits(-1, 3),
        lambda encoder: encoder.encode_bits(0, -1),
    ],
)
def test_impossible_symbols(backend: Backend, mistake: Callable[[RangeEncoder], None]) -> None:
    with pytest.raises(SymbolError) as raised:
        mistake(make_encoder(backend))
    assert isinstance(raised.value, CodecError)
    assert isinstance(raised.value, ValueError)


@each_backend
def test_negative_counts(backend: Backend) -> None:
    decoder = make_decoder(b"", backend=backend)
    with pytest.raises(SymbolError):
        decoder.decode(-1, SKEWED)
    with pytest.raises(SymbolError):
        decoder.decode_bits(-1)


@pytest.fixture
def without_constriction(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(range_coder, "find_spec", lambda _: None)
    range_coder._implementation.cache_clear()
    yield
    range_coder._implementation.cache_clear()


@pytest.mark.usefixtures("without_constriction")
def test_python_serves_where_constriction_is_missing() -> None:
    assert type(make_encoder()) is type(make_encoder("python"))
    assert type(make_decoder(b"")) is type(make_decoder(b"", backend="python"))


@needs_constriction
def test_constriction_serves_where_it_is_installed() -> None:
    assert type(make_encoder()) is type(make_encoder("constriction"))
