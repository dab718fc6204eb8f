"""The simulated line obeys physics: rate, error rates, bursts, slips and drop-outs are what they claim."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pantel_link import Bursts, Channel, ChannelSettings, NullModem, VirtualClock

S = 1_000_000_000
ZEROS = bytes(4000)


def transmit(channel: Channel, octets: bytes = ZEROS, rounds: int = 25) -> list[bytes]:
    """Send the octets again and again, each time over a line that has been read empty."""
    received = []
    for k in range(rounds):
        channel.send(octets, k * 100 * S)
        received.append(channel.receive((k + 1) * 100 * S, 2 * len(octets)))
    return received


def test_an_octet_arrives_with_its_last_bit() -> None:
    channel = Channel(ChannelSettings(bitrate_bps=1000))
    channel.send(b"abc", 0)
    assert channel.receive(7_999_999, 10) == b""
    assert channel.receive(8_000_000, 10) == b"a"
    assert channel.receive(24_000_000, 1) == b"b"
    assert channel.receive(24_000_000, 1) == b"c"
    channel.send(b"d", 1 * S)
    assert channel.receive(1 * S + 7_999_999, 1) == b""
    assert channel.receive(1 * S + 8_000_000, 1) == b"d"


def test_octets_queue_behind_one_another() -> None:
    channel = Channel(ChannelSettings(bitrate_bps=960))
    for _ in range(12):
        channel.send(bytes(10), 0)
    assert len(channel.receive(1 * S - 1, 1000)) == 119
    assert len(channel.receive(1 * S + 1000, 1000)) == 1


def test_the_buffer_is_that_of_a_driver() -> None:
    channel = Channel(ChannelSettings())
    assert channel.send(bytes(5000), 0) == 4096
    assert channel.send(b"x", 0) == 0


@given(st.binary(max_size=200))
def test_a_perfect_line_changes_nothing(octets: bytes) -> None:
    channel = Channel(ChannelSettings())
    channel.send(octets, 0)
    assert channel.receive(10 * S, 1000) == octets


def test_the_same_seed_gives_the_same_line() -> None:
    settings = ChannelSettings(bit_error_rate=0.01, slip_rate=0.01, loss=0.2, seed=7)
    assert transmit(Channel(settings), rounds=2) == transmit(Channel(settings), rounds=2)
    other = ChannelSettings(bit_error_rate=0.01, slip_rate=0.01, loss=0.2, seed=8)
    assert transmit(Channel(settings), rounds=2) != transmit(Channel(other), rounds=2)


@pytest.mark.parametrize("rate", [1e-3, 1e-2, 0.1])
def test_bit_error_rate(rate: float) -> None:
    received = b"".join(transmit(Channel(ChannelSettings(bit_error_rate=rate, seed=1))))
    bits = 8 * len(received)
    errors = int.from_bytes(received, "big").bit_count()
    assert errors == pytest.approx(bits * rate, abs=5 * (bits * rate) ** 0.5)


def test_bursts() -> None:
    settings = ChannelSettings(bursts=Bursts(mean_gap_octets=180, mean_length_octets=20), seed=1)
    received = b"".join(transmit(Channel(settings)))
    # Stationary share of the bad state 20 / 200, bit error rate 0.3 in it.
    assert int.from_bytes(received, "big").bit_count() / (8 * len(received)) == pytest.approx(0.03, rel=0.15)
    clean_runs = [len(list(run)) for dirty, run in groupby(received, key=bool) if not dirty]
    assert max(clean_runs) > 500  # independent errors at 0.03 would leave no such gap


def test_slips_lose_and_insert_octets() -> None:
    octets = bytes(range(200)) * 20
    channel = Channel(ChannelSettings(slip_rate=0.01, seed=1))
    received = transmit(channel, octets)
    assert channel.statistics.octets_slipped == pytest.approx(0.01 * 25 * 4000, rel=0.15)
    assert sum(map(len, received)) == pytest.approx(25 * 4000, abs=5 * 1000**0.5)
    assert min(map(len, received)) < 4000 < max(map(len, received))


@pytest.mark.parametrize("loss", [0.02, 0.1, 0.3])
def test_loss_is_the_probability_that_a_packet_is_hit(loss: float) -> None:
    """Spans of 48 octets, each told by its own values, are whole with probability 1 - loss."""
    settings = ChannelSettings(loss=loss, seed=1)
    packets = [bytes([k]) * 48 for k in range(83)]
    hit = 0
    for received in transmit(Channel(settings), b"".join(packets), rounds=60):
        hit += sum(received.count(packet[0]) != 48 for packet in packets)
    spans = 60 * len(packets)
    # Neighbouring packets share drop-outs, so the count scatters a little more than independent ones.
    assert hit / spans == pytest.approx(loss, abs=5 * (1.5 * loss / spans) ** 0.5)


@pytest.mark.parametrize(
    "change",
    [
        {"bitrate_bps": 0},
        {"bit_error_rate": 1.0},
        {"slip_rate": -0.1},
        {"loss": 1.5},
        {"dropout_octets": 0},
    ],
)
def test_impossible_lines_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        ChannelSettings(**change)  # type: ignore[arg-type]


def test_impossible_bursts_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 octet"):
        Bursts(mean_gap_octets=0.5, mean_length_octets=2)
    with pytest.raises(ValueError, match="bit_error_rate"):
        Bursts(mean_gap_octets=5, mean_length_octets=2, bit_error_rate=-1)


def test_a_null_modem_is_full_duplex_with_independent_errors() -> None:
    clock = VirtualClock()
    modem = NullModem(clock, ChannelSettings(bit_error_rate=0.05, seed=3))
    modem.near.write(ZEROS)
    modem.far.write(ZEROS)
    clock.sleep(34.0)
    near, far = modem.near.read(5000), modem.far.read(5000)
    assert len(near) == len(far) == 4000
    assert near != far
    assert modem.near_to_far.statistics.bits_inverted == int.from_bytes(far, "big").bit_count()
