"""The machine: temperature, power supply, memory."""

from __future__ import annotations

from collections.abc import Iterator

from pantel_device.doctor.finding import Finding, note, ok, problem, warning
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.setups import Setup

__all__ = ["check_memory", "check_needed_memory", "check_power", "check_temperature"]

_HOT_C = 80.0  # a Raspberry Pi slows down from here on
_WARM_C = 70.0
_LEAST_MIB = 50.0
_NEEDED_MIB = {"sender": 300.0, "receiver": 190.0}  # measured with pictures of 320x240, after half a minute
_THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled"
_TIMEOUT_S = 3.0

# Bits of a Raspberry Pi's firmware: what is so now, and 16 bits higher what has been so since the start.
_UNDER_VOLTAGE, _CAPPED, _THROTTLING, _SOFT_LIMIT = 1, 2, 4, 8
_SUPPLY = "use the power supply that was made for the board, and a short, thick cable"
_COOLING = "give it shade, air or a heat sink"


def check_temperature(machine: Machine) -> Iterator[Finding]:
    """Look at the hottest of the thermal zones."""
    temperatures = list(_temperatures(machine))
    if not temperatures:
        yield note("temperature", "the machine does not tell it")
        return
    hottest, zone = max(temperatures)
    found = f"{hottest:.0f} °C" + (f" ({zone})" if zone else "")
    if hottest >= _HOT_C:
        yield warning("temperature", f"{found}: too hot to be fast", _COOLING)
    elif hottest >= _WARM_C:
        yield note("temperature", f"{found}; from {_HOT_C:.0f} °C on a Raspberry Pi slows down", _COOLING)
    else:
        yield ok("temperature", found)


def _temperatures(machine: Machine) -> Iterator[tuple[float, str]]:
    for zone in machine.glob("/sys/class/thermal/thermal_zone*"):
        text = machine.read(machine.name(zone / "temp"))
        if text.lstrip("-").isdigit():
            yield int(text) / 1000, machine.read(machine.name(zone / "type"))


def check_power(machine: Machine) -> Iterator[Finding]:
    """Ask a Raspberry Pi's firmware whether it had too little voltage, or was slowed down."""
    if not machine.is_raspberry_pi:
        return
    text = machine.read(_THROTTLED) or _ask_firmware(machine)
    try:
        bits = int(text.removeprefix("0x"), 16)
    except ValueError:
        yield note("power", "the firmware does not tell whether there is too little voltage")
        return
    now, before = bits & 0xF, bits >> 16 & 0xF
    if now & _UNDER_VOLTAGE:
        yield problem("power", "too little voltage now: it runs slowly, and may lose what it writes", _SUPPLY)
    elif before & _UNDER_VOLTAGE:
        yield warning("power", "too little voltage since the start, not at this moment", _SUPPLY)
    if now & (_CAPPED | _THROTTLING | _SOFT_LIMIT):
        yield warning("throttling", "the processor is being slowed down now", f"{_COOLING}, and check its supply")
    elif before & (_CAPPED | _THROTTLING | _SOFT_LIMIT):
        yield note("throttling", "the processor has been slowed down since the start", f"{_COOLING}")
    if not now and not before:
        yield ok("power", "always enough voltage since the start, never slowed down")


def _ask_firmware(machine: Machine) -> str:
    """Return what `vcgencmd` says, from "throttled=0x50005"; empty if it says nothing."""
    return machine.run(["vcgencmd", "get_throttled"], _TIMEOUT_S).output.strip().partition("=")[2]


def check_memory(machine: Machine) -> Iterator[Finding]:
    """Look at how much memory is free."""
    free_mib, total_mib = _memory_mib(machine)
    if free_mib is None:
        yield note("memory", "the machine does not tell how much is free")
        return
    found = f"{free_mib:,.0f} of {total_mib:,.0f} MiB are free"
    yield warning("memory", found, "stop other programs") if free_mib < _LEAST_MIB else ok("memory", found)


def check_needed_memory(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Compare what a daemon that is not running will take with what is free."""
    free_mib, _ = _memory_mib(machine)
    needed_mib = _NEEDED_MIB[setup.role]
    if free_mib is not None and free_mib < needed_mib and not setup.is_running:
        yield warning("memory", f"it takes {needed_mib:.0f} MiB, and {free_mib:.0f} are free", "stop other programs")


def _memory_mib(machine: Machine) -> tuple[float | None, float]:
    """Return how much memory is free, None if the machine does not tell, and how much there is."""
    values = {name: rest.split()[0] for name, rest in _pairs(machine.read("/proc/meminfo")) if rest.split()}
    free, total = values.get("MemAvailable", ""), values.get("MemTotal", "")
    return int(free) / 1024 if free.isdigit() else None, int(total) / 1024 if total.isdigit() else 0.0


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        yield name, rest
