"""What is counted of each stream, beside what is counted of all together."""

from __future__ import annotations

from dataclasses import fields, replace

from pantel_link import LengthClass, LinkReceiver, LinkSender, PacketKind, StreamContext, StreamStatistics

S = 1_000_000_000


def _codewords(context: StreamContext, count: int) -> list[bytes]:
    """Return what a sender puts on the line, an IDENT first, by codeword."""
    sender = LinkSender(context, now_ns=0)
    octets, now_ns = b"", 0
    length = sender.packet_octets(LengthClass.LIVE)
    while len(octets) < count * length:
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, b"news", sender.stamp_ns(now_ns))
        octets += sender.due(now_ns)
        now_ns += S // 50
    return [octets[begin : begin + length] for begin in range(0, count * length, length)]


def test_loss_and_errors_are_counted_of_the_stream_that_had_them(context: StreamContext) -> None:
    near, far = context, replace(context, sender=context.sender + 1)
    receiver = LinkReceiver()
    for number, (clean, poor) in enumerate(zip(_codewords(near, 12), _codewords(far, 12), strict=True)):
        receiver.receive(clean, number * S)
        if number in {4, 5, 8}:
            continue  # lost
        damaged = bytearray(poor)
        damaged[10] ^= 0x11  # two bits of one octet
        receiver.receive(bytes(damaged), number * S)

    clean_line, poor_line = receiver.statistics_of(near), receiver.statistics_of(far)
    assert clean_line is not None
    assert poor_line is not None
    assert (clean_line.packets_lost, clean_line.corrected_octets, clean_line.bit_error_rate) == (0, 0, 0)
    assert poor_line.packets_lost == clean_line.packets_good - poor_line.packets_good == 3
    assert poor_line.packet_loss == 3 / clean_line.packets_good
    assert poor_line.corrected_octets == poor_line.packets_good
    assert poor_line.corrected_bits == 2 * poor_line.packets_good
    for counter in (each.name for each in fields(StreamStatistics)):
        assert getattr(receiver.statistics, counter) == getattr(clean_line, counter) + getattr(poor_line, counter)


def test_of_a_stream_that_is_not_known_nothing_is_counted(context: StreamContext) -> None:
    assert LinkReceiver().statistics_of(context) is None


def test_what_was_counted_since_an_earlier_copy() -> None:
    earlier = StreamStatistics(packets_good=10, packets_lost=5, good_bits=1000, corrected_bits=10)
    later = StreamStatistics(packets_good=19, packets_lost=6, good_bits=2000, corrected_bits=11)
    assert later.since(earlier).packet_loss == 0.1
    assert later.since(earlier).bit_error_rate == 0.001
    assert StreamStatistics(packets_lost=4).since(StreamStatistics(packets_lost=5)).packets_lost == 0  # one came late
    assert earlier.since(earlier).packet_loss is None
