"""Lines for the loopback test: perfect ones, bad ones and hostile ones, on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pantel_device.hil import Break, Case, Ends, Limits, Loopback, LoopbackSettings, Measurements, judge
from pantel_link import (
    ChannelSettings,
    Keyring,
    MasterKey,
    NullModem,
    Port,
    Security,
    SenderKey,
    StreamContext,
    VirtualClock,
)

LIMITS = Limits(max_latency_s=0.65)
SECONDS = 10.0

Cases = Mapping[str, Case]
Open = Callable[[VirtualClock], Ends]


class WrappedPort(Port):
    """A port around another one."""

    def __init__(self, port: Port) -> None:
        self.name = port.name
        self.port = port

    def read(self, max_octets: int) -> bytes:
        return self.port.read(max_octets)

    def write(self, octets: bytes) -> int:
        return self.port.write(octets)

    def _release(self) -> None:
        self.port.close()


def null_modem(settings: ChannelSettings | None = None) -> Open:
    """Return what opens a simulated line."""

    def open_ends(clock: VirtualClock) -> Ends:
        modem = NullModem(clock, settings or ChannelSettings())
        return Ends(modem.near, modem.far)

    return open_ends


class Rig:
    """A loopback test on a virtual clock."""

    def __init__(self, context: StreamContext) -> None:
        self.clock = VirtualClock(5_000_000_000)
        self.context = context
        self.limits = LIMITS
        self.key: SenderKey | None = None
        self.steps: list[str] = []

    def measure(self, open_ends: Open, *, seconds: float = SECONDS, breaks: Break | None = None) -> Measurements:
        self.steps.clear()
        ends = open_ends(self.clock)
        loopback = Loopback(
            ends,
            lambda: open_ends(self.clock),
            self.clock,
            settings=LoopbackSettings(seconds),
            limits=self.limits,
            context=self.context,
            key=self.key,
            breaks=breaks,
        )
        measured = loopback.run(self.steps.append)
        assert len(self.steps) == loopback.steps
        loopback.close()
        return measured

    def judge(self, open_ends: Open, *, seconds: float = SECONDS, breaks: Break | None = None) -> Cases:
        cases = judge(self.measure(open_ends, seconds=seconds, breaks=breaks), self.limits)
        return {case.name: case for case in cases}

    def authenticate(self) -> None:
        self.key = MasterKey(bytes(range(32))).sender_key(self.context.sender, self.context.callsign)
        self.context = replace(self.context, security=Security.AUTHENTICATED)
        assert Keyring(self.key).seal(self.context)
