"""Keys on the link: who has none can neither speak, nor repeat, nor (if it is encrypted) read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pantel_link import (
    EpochUsedUp,
    KeyFileError,
    Keyring,
    LinkReceiver,
    LinkSender,
    MasterKey,
    PacketKind,
    PacketProfile,
    Security,
    SecurityError,
    StreamContext,
    new_master_key,
)

S = 1_000_000_000
MASTER = MasterKey(bytes(range(32)))


class Memory:
    """What survives a restart."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, str], tuple[int, int]] = {}

    def recall(self, sender: int, callsign: str) -> tuple[int, int] | None:
        return self.known.get((sender, callsign))

    def note(self, sender: int, callsign: str, epoch: int, counter: int) -> None:
        self.known[sender, callsign] = epoch, counter


def sent(context: StreamContext, count: int, *, begin: int = 0, master: MasterKey = MASTER) -> list[bytes]:
    """Return bare packets, IDENT packets among them, as a sender of a packet port lets them go."""
    key = master.sender_key(context.sender, context.callsign)
    profile = PacketProfile(128, lambda packet: len(packet) + 2)
    sender = LinkSender(context, now_ns=0, profile=profile, key=key if context.security else None)
    sender._counter = begin
    packets: list[bytes] = []
    now_ns = 0
    while len(packets) < count:
        if sender.ready(now_ns):
            sender.submit(PacketKind.SCENE, b"picture %d" % len(packets), sender.stamp_ns(now_ns))
        if packet := sender.due(now_ns):
            packets.append(packet)
        now_ns = max(now_ns + S // 100, min(sender.next_due_ns(now_ns), now_ns + S // 10))
    return packets


def heard(receiver: LinkReceiver, packets: list[bytes]) -> int:
    return sum(len(receiver.receive_packet(packet, k * S // 3)) for k, packet in enumerate(packets))


@pytest.fixture(params=[Security.AUTHENTICATED, Security.ENCRYPTED])
def keyed(request: pytest.FixtureRequest, context: StreamContext) -> StreamContext:
    return replace(context, security=request.param)


def test_a_receiver_with_the_key_hears_everything(keyed: StreamContext) -> None:
    packets = sent(keyed, 60)
    assert heard(LinkReceiver(keyring=Keyring(MASTER)), packets) == 60
    own = MASTER.sender_key(keyed.sender, keyed.callsign)
    assert heard(LinkReceiver(keyring=Keyring(own)), packets) == 60


def test_nobody_else_hears_anything(keyed: StreamContext) -> None:
    packets = sent(keyed, 60)
    for keyring in (Keyring(), Keyring(new_master_key()), Keyring(MASTER.sender_key(1, keyed.callsign))):
        receiver = LinkReceiver(keyring=keyring)
        assert heard(receiver, packets) == 0
        assert receiver.statistics.packets_rejected + receiver.statistics.packets_without_context == 60
        assert receiver.contexts == ()


def test_a_receiver_with_a_key_takes_no_stream_without_one(context: StreamContext) -> None:
    packets = sent(context, 20)
    assert heard(LinkReceiver(), packets) == 20
    assert heard(LinkReceiver(keyring=Keyring(MASTER)), packets) == 0
    with pytest.raises(SecurityError, match="is not authenticated"):
        LinkReceiver(contexts=[context], keyring=Keyring(MASTER))


def test_every_changed_octet_is_noticed(keyed: StreamContext) -> None:
    ident, *packets = sent(keyed, 4)
    receiver = LinkReceiver(keyring=Keyring(MASTER))
    heard(receiver, [ident])
    for packet in packets:
        for at in range(len(packet)):
            changed = bytearray(packet)
            changed[at] ^= 1 << at % 8
            assert receiver.receive_packet(bytes(changed), S) == []
    assert heard(receiver, packets) == 3


def test_recordings_are_refused_whenever_they_are_played(keyed: StreamContext) -> None:
    """At once, after the sequence number has come round, after a restart of the receiver, and of the sender."""
    packets = sent(keyed, 1500)
    memory = Memory()
    receiver = LinkReceiver(keyring=Keyring(MASTER), memory=memory)
    assert heard(receiver, packets) == 1500
    assert heard(receiver, packets) == 0
    assert receiver.statistics.packets_replayed > 0
    again = LinkReceiver(keyring=Keyring(MASTER), memory=memory)
    assert heard(again, packets) == 0
    assert again.contexts == (keyed,)  # its introductions are genuine, though old
    restarted = replace(keyed, epoch=keyed.epoch + 1)
    assert heard(again, sent(restarted, 20)) == 20
    assert heard(again, packets) == 0
    assert heard(LinkReceiver(keyring=Keyring(MASTER), memory=memory), packets) == 0


def test_more_senders_than_are_remembered_lose_nothing_but_their_introductions(keyed: StreamContext) -> None:
    """A stream that had to make room goes on from its exact counter."""
    streams = [sent(replace(keyed, sender=number), 60) for number in range(17)]
    receiver = LinkReceiver(keyring=Keyring(MASTER), memory=Memory())
    in_turn = [packets[k] for k in range(60) for packets in streams]
    delivered = [each.packet for packet in in_turn * 2 for each in receiver.receive_packet(packet, 0)]
    assert len(delivered) >= 17 * 45
    assert len({(packet.sender, packet.counter) for packet in delivered}) == len(delivered)


def test_a_receiver_that_starts_again_goes_on_with_the_next_packet(keyed: StreamContext) -> None:
    packets = sent(keyed, 300)
    memory = Memory()
    assert heard(LinkReceiver(keyring=Keyring(MASTER), memory=memory), packets[:200]) == 200
    again = LinkReceiver(keyring=Keyring(MASTER), memory=memory, contexts=[keyed])
    assert heard(again, packets[200:]) == 100


def test_who_joins_late_learns_the_counter_from_the_identity(keyed: StreamContext) -> None:
    packets = sent(keyed, 60, begin=5 << 10)
    receiver = LinkReceiver(keyring=Keyring(MASTER))
    assert heard(receiver, packets) == 60
    assert receiver.newest == {(keyed.sender, keyed.callsign): (keyed.epoch, (5 << 10) + 59)}


def test_a_stream_ends_before_a_counter_comes_twice(keyed: StreamContext) -> None:
    with pytest.raises(EpochUsedUp, match="start it again"):
        sent(keyed, 10, begin=(1 << 26) - 5)


def test_a_sender_needs_its_key(keyed: StreamContext) -> None:
    with pytest.raises(KeyFileError, match="needs a key: set key_file"):
        LinkSender(keyed, now_ns=0)
