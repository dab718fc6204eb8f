"""Push-to-talk and listening before it, on a virtual clock; and what real devices say to it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from pantel_link import MonotonicClock, Port, PortClosed, PortError, PortGone, VirtualClock, open_port
from pantel_link.ports.pty import PtyPort
from pantel_link.ports.push_to_talk import PushToTalk, PushToTalkPort
from pantel_link.ports.serial_port import SerialPort

MS = 1_000_000
BAUD = 1200
OCTET_MS = 10_000 / BAUD


class Radio(Port):
    """A radio on a serial line: notes when it is keyed and when octets come, and what it sends is lost unkeyed.

    Attributes:
        events: Time [ms] and what happened: "on", "off", or octets.
        incoming: What it will have heard.
        unsent: What the driver says to hold.
        room: How many octets the driver takes at a time.
        unplugged: Whether it is.
    """

    name = "radio"
    on_air = True

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.events: list[tuple[int, bytes | str]] = []
        self.incoming = b""
        self.unsent = 0
        self.room = 10_000
        self.unplugged = False

    def key(self, *, on: bool) -> None:
        self._check_open()
        self._note("on" if on else "off")

    def unsent_octets(self) -> int:
        return self.unsent

    def read(self, max_octets: int) -> bytes:
        if self.unplugged:
            raise PortGone("pulled")
        heard, self.incoming = self.incoming[:max_octets], self.incoming[max_octets:]
        return heard

    def write(self, octets: bytes) -> int:
        if accepted := octets[: self.room]:
            self._note(accepted)
        return len(accepted)

    def _note(self, what: bytes | str) -> None:
        if self.unplugged:
            raise PortGone("pulled")
        self.events.append((self._clock.now_ns() // MS, what))


class Station:
    """A radio behind push-to-talk, and a loop that calls it every millisecond."""

    def __init__(self, *, keyed: bool = True, slots: random.Random | None = None, **settings: int) -> None:
        self.clock = VirtualClock()
        self.radio = Radio(self.clock)
        self.port = PushToTalkPort(
            self.radio,
            self.radio if keyed else None,
            PushToTalk(**settings),
            baud_rate=BAUD,
            clock=self.clock,
            random=slots or NoSlots(),
        )

    def run(self, ms: int) -> bytes:
        heard = b""
        for _ in range(ms):
            self.clock.sleep(0.001)
            heard += self.port.read(100)
        return heard

    @property
    def events(self) -> list[tuple[int, bytes | str]]:
        return self.radio.events


class NoSlots(random.Random):
    """Draws no slot."""

    def randrange(self, *_: int) -> int:  # type: ignore[override]
        return 0


def test_it_keys_waits_sends_and_unkeys() -> None:
    station = Station(txdelay_ms=300, tail_ms=50)
    assert station.events == []
    assert station.port.write(b"12345678") == 8
    assert station.port.transmitting
    station.run(1000)
    left_ms = 300 + 8 * OCTET_MS
    assert station.events == [(0, "on"), (300, b"12345678"), (round(left_ms + 50), "off")]
    assert not station.port.transmitting


def test_what_is_written_meanwhile_is_held_and_leaves_in_order() -> None:
    station = Station(txdelay_ms=100, tail_ms=50)
    for octet in range(10):
        assert station.port.write(bytes([octet])) == 1
        station.run(20)
    station.run(500)
    assert b"".join(what for _, what in station.events if isinstance(what, bytes)) == bytes(range(10))
    assert station.events[:2] == [(0, "on"), (100, bytes(range(5)))]
    assert [what for _, what in station.events].count("on") == 1


def test_a_gap_shorter_than_the_tail_does_not_unkey() -> None:
    station = Station(txdelay_ms=100, tail_ms=50)
    station.port.write(b"a")
    station.run(100 + 8 + 45)
    station.port.write(b"b")
    station.run(300)
    station.port.write(b"c")
    station.run(300)
    assert [what for _, what in station.events] == ["on", b"a", b"b", "off", "on", b"c", "off"]


def test_octets_that_the_driver_still_holds_keep_the_transmitter_on() -> None:
    station = Station(txdelay_ms=0, tail_ms=10)
    station.port.write(b"x")
    station.radio.unsent = 12
    station.run(500)
    assert station.port.transmitting
    station.radio.unsent = 0
    station.run(200)
    assert station.events[-1] == (611, "off")  # 12 octets and the tail later, noticed in the next millisecond


def test_a_driver_without_room_keeps_the_transmitter_on() -> None:
    station = Station(txdelay_ms=0, tail_ms=10)
    station.radio.room = 0
    assert station.port.write(b"abcd") == 4
    station.run(200)
    assert station.events == [(0, "on")]
    station.radio.room = 3
    station.run(200)
    assert [what for _, what in station.events] == ["on", b"abc", b"d", "off"]


def test_no_more_than_a_buffer_is_held() -> None:
    station = Station(txdelay_ms=1000)
    assert station.port.write(bytes(5000)) == 4096
    assert station.port.write(b"x") == 0
    station.run(1001)
    assert station.port.write(b"x") == 1


def test_nothing_written_keys_nothing() -> None:
    station = Station()
    assert station.port.write(b"") == 0
    station.run(100)
    assert station.events == []


def test_what_is_heard_is_read_in_order() -> None:
    station = Station()
    station.radio.incoming = b"hello"
    assert station.port.read(2) == b"he"
    assert station.port.read(9) == b"llo"
    assert station.port.read(9) == b""


def test_closing_unkeys_at_once() -> None:
    station = Station()
    station.port.write(b"held")
    station.run(10)
    station.port.close()
    assert station.events == [(0, "on"), (10, "off")]
    with pytest.raises(PortClosed):
        station.port.write(b"x")
    with pytest.raises(PortClosed):
        station.radio.key(on=False)


def test_an_unplugged_radio_is_gone_and_can_be_closed() -> None:
    station = Station()
    station.port.write(b"held")
    station.radio.unplugged = True
    with pytest.raises(PortGone):
        station.port.read(1)
    station.port.close()


# Listen before talk


def test_it_listens_before_it_talks_the_first_time() -> None:
    station = Station(lbt_ms=100, txdelay_ms=10)
    assert station.port.write(b"x") == 0
    station.run(99)
    assert station.port.write(b"x") == 0
    station.run(1)
    assert station.port.write(b"x") == 1
    assert station.events == [(100, "on")]


def test_it_waits_until_nothing_has_been_heard_for_long_enough() -> None:
    station = Station(lbt_ms=100, txdelay_ms=10)
    station.run(80)
    for _ in range(5):
        station.radio.incoming += b"?"
        station.run(80)
        assert station.port.write(b"x") == 0
    station.run(20)
    assert station.port.write(b"x") == 0  # the last one was noticed at 401 ms
    station.run(1)
    assert station.port.write(b"x") == 1


def test_one_that_only_writes_listens_too_and_nothing_heard_is_lost() -> None:
    station = Station(lbt_ms=100)
    for ms in range(300):
        station.radio.incoming = bytes([ms % 256])
        assert station.port.write(b"x") == 0
        station.clock.sleep(0.001)
    assert station.port.read(1000) == bytes(ms % 256 for ms in range(300))


def test_others_have_their_turn_after_a_transmission() -> None:
    station = Station(lbt_ms=100, txdelay_ms=10, tail_ms=10)
    station.run(100)
    station.port.write(b"x")
    while station.port.transmitting:
        station.run(1)
    assert station.port.write(b"x") == 0
    station.run(100)
    assert station.port.write(b"x") == 1


def test_its_own_echo_is_not_somebody_else() -> None:
    station = Station(lbt_ms=100, txdelay_ms=10)
    station.run(100)
    station.port.write(b"one")
    station.radio.incoming = b"one"
    station.run(20)
    assert station.port.write(b"two") == 3


def test_a_radio_that_keys_itself_is_only_listened_to() -> None:
    station = Station(keyed=False, lbt_ms=100, txdelay_ms=0, tail_ms=50)
    assert station.port.write(b"x") == 0
    station.run(100)
    assert station.port.write(b"x") == 1
    station.run(30)
    station.radio.incoming = b"echo"
    assert station.port.write(b"y") == 1  # still the same transmission
    station.run(200)
    assert station.events == [(100, b"x"), (130, b"y")]


def test_two_stations_seldom_begin_together() -> None:
    """Eight slots, each as long as the transmitter takes to come up."""

    def first_slot(seed: int) -> int:
        station = Station(lbt_ms=100, txdelay_ms=50, slots=random.Random(seed))
        while not station.port.write(b"x"):
            station.run(1)
        (time_ms, _), *_ = station.events
        return (time_ms - 100) // 50

    slots = [first_slot(seed) for seed in range(60)]
    assert set(slots) == set(range(8))
    together = sum(one == other for one, other in zip(slots[::2], slots[1::2], strict=True))
    assert together <= 10


# Opening


@pytest.fixture
def device() -> Iterator[str]:
    with PtyPort() as near:
        yield str(near.path)


def test_a_device_without_modem_lines_is_refused_in_one_line(device: str) -> None:
    with pytest.raises(PortError, match="no RTS to key a radio") as error:
        open_port(f"{device}?ptt=rts")
    assert "\n" not in str(error.value)
    open_port(device).close()  # the attempt left nothing open


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("ptt=dtr", "option ptt is 'dtr' and can only be rts"),
        ("txdelay_ms=5", "add ptt=rts"),
        ("tail_ms=5&lbt_ms=5", "add ptt=rts"),
        ("ptt=rts&txdelay_ms=x", "must be a number of 0 to 60000"),
        ("baud=9600", "unknown option 'baud'; known are ptt, txdelay_ms, tail_ms, lbt_ms"),
    ],
)
def test_impossible_options_are_refused(device: str, options: str, words: str) -> None:
    with pytest.raises(PortError) as error:
        open_port(f"{device}?{options}")
    assert words in str(error.value)


def test_a_network_cannot_key() -> None:
    with pytest.raises(PortError):
        open_port("socket://127.0.0.1:1?ptt=rts")


def test_options_of_pyserial_stay_with_pyserial() -> None:
    with pytest.raises(PortError, match="cannot open port loop"):
        open_port("loop://?volume=11&ptt=rts")
    with open_port("loop://?logging=error") as port:
        assert isinstance(port, SerialPort)


def test_a_serial_port_is_unkeyed_from_the_start() -> None:
    with open_port("loop://?ptt=rts&txdelay_ms=0&tail_ms=0") as port:
        assert isinstance(port, PushToTalkPort)
        rts = port._port._serial  # type: ignore[attr-defined]
        assert not rts.rts
        assert port.write(b"x") == 1
        assert rts.rts
        for _ in range(100):
            port.read(0)
            MonotonicClock().sleep(0.001)
        assert not rts.rts
        assert port.read(10) == b"x"


def test_listening_needs_no_modem_lines(device: str) -> None:
    with open_port(f"{device}?lbt_ms=1") as port:
        assert isinstance(port, PushToTalkPort)
        MonotonicClock().sleep(0.01)
        assert port.write(b"x") == 1
