"""One back-to-back suite for every port of packets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from pantel_link import (
    PortClosed,
    PtyNullModem,
)
from pantel_link.ports import PacketPort, packet_pair, reconnecting

AWKWARD = bytes(range(0xB8, 0xE0)) + b"\xdb\xdc\xc0\xdb\xdd\r\n\x00\x03\x11\x13\xff"


from tests.firmware_link.packet_lines import CLOCK, FAST, Tnc, free_udp_ports, opened, read_packet, wait_for


class Pair(NamedTuple):
    """Two joined ports of packets."""

    near: PacketPort
    far: PacketPort


def memory() -> Iterator[Pair]:
    yield Pair(*packet_pair())


def udp() -> Iterator[Pair]:
    one, other = free_udp_ports()
    yield Pair(opened(f"udp://127.0.0.1:{other}?local={one}"), opened(f"udp://127.0.0.1:{one}?local={other}"))


def kiss_tcp() -> Iterator[Pair]:
    with Tnc() as tnc:
        near, far = opened(f"kiss+tcp://127.0.0.1:{tnc.number}"), opened(f"kiss+tcp://127.0.0.1:{tnc.number}")
        wait_for(lambda: tnc.clients == 2)
        yield Pair(near, far)


def kiss_serial() -> Iterator[Pair]:
    with PtyNullModem(FAST) as modem:
        near, far = (opened(f"kiss+serial:{path}") for path in (modem.near_path, modem.far_path))
        yield Pair(near, far)
        near.close()
        far.close()


def kiss_serial_bare() -> Iterator[Pair]:
    with PtyNullModem(FAST) as modem:
        near, far = (opened(f"kiss+serial:{path}?ax25=0") for path in (modem.near_path, modem.far_path))
        yield Pair(near, far)
        near.close()
        far.close()


def reconnecting_memory() -> Iterator[Pair]:
    pair = Pair(*packet_pair())
    ports = [reconnecting(port, lambda: pytest.fail("it was never gone"), CLOCK) for port in pair]
    assert all(isinstance(port, PacketPort) for port in ports)
    yield Pair(*(port for port in ports if isinstance(port, PacketPort)))


@pytest.fixture(
    params=[memory, udp, kiss_tcp, kiss_serial, kiss_serial_bare, reconnecting_memory],
    ids=lambda factory: factory.__name__,
)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    pairs = request.param()
    pair = next(pairs)
    yield pair
    pair.near.close()
    pair.far.close()
    next(pairs, None)


def test_nothing_is_there_at_first_and_reading_does_not_block(pair: Pair) -> None:
    assert pair.far.read(100) == b""


def test_packets_arrive_whole_in_order_one_by_one(pair: Pair) -> None:
    packets = [bytes([octet]) * (1 + octet % 100) for octet in range(256)]
    for packet in packets:
        assert pair.near.write(packet) == len(packet)
        assert read_packet(pair.far) == packet
    assert pair.far.read(4096) == b""


def test_several_packets_wait_and_are_not_joined(pair: Pair) -> None:
    for packet in (b"one", AWKWARD, b"three"):
        assert pair.near.write(packet) == len(packet)
    assert [read_packet(pair.far) for _ in range(3)] == [b"one", AWKWARD, b"three"]


def test_the_way_back_works_too(pair: Pair) -> None:
    assert pair.far.write(AWKWARD) == len(AWKWARD)
    assert read_packet(pair.near) == AWKWARD


def test_the_longest_packet_crosses_and_none_longer_is_taken(pair: Pair) -> None:
    longest = (AWKWARD * 99)[: pair.near.max_packet_octets]
    assert pair.near.write(longest) == len(longest)
    assert read_packet(pair.far) == longest
    for impossible in (b"", longest + b"x"):
        with pytest.raises(ValueError, match="takes 1 to"):
            pair.near.write(impossible)


def test_a_packet_longer_than_asked_is_dropped_and_the_next_one_read(pair: Pair) -> None:
    pair.near.write(b"too long")
    pair.near.write(b"short")
    assert read_packet(pair.far, 5) == b"short"


def test_discarded_input_is_gone(pair: Pair) -> None:
    pair.near.write(b"stale")
    pair.near.write(b"stale too")
    CLOCK.sleep(0.05)
    pair.far.discard_input()
    pair.near.write(b"fresh")
    assert read_packet(pair.far) == b"fresh"


def test_a_closed_port_says_so(pair: Pair) -> None:
    with pair.far as port:
        pass
    port.close()
    with pytest.raises(PortClosed, match="used after it had been closed"):
        port.read(1)
    with pytest.raises(PortClosed):
        port.write(b"x")


def test_modems_are_on_the_air_and_this_machine_is_not(pair: Pair) -> None:
    assert pair.near.on_air is pair.near.name.startswith("kiss")


def test_a_packet_costs_at_least_itself(pair: Pair) -> None:
    assert pair.near.wire_octets(AWKWARD) >= len(AWKWARD)


def test_dropped_packets_are_counted() -> None:
    near, far = packet_pair()
    near.write(b"too long")
    assert far.read(3) == b""
    assert far.dropped == 1


# What packets cost
