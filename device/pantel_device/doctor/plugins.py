"""The plug-ins that are installed: whether they can be loaded, and whether they are used at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pantel_device.cameras.registry import BUILT_IN_CAMERAS
from pantel_device.doctor.finding import Finding, note, ok, problem, warning
from pantel_device.doctor.machine import TIMED_OUT, Machine
from pantel_device.observer.detector import BUILT_IN_DETECTORS
from pantel_link.plugins import KINDS, Plugin, installed_plugins
from pantel_link.ports.registry import BUILT_IN_SCHEMES

__all__ = ["check_plugins"]

_CHECK = "plug-ins"
_LOADING_TIMEOUT_S = 5.0
_BUILT_IN = {"port": BUILT_IN_SCHEMES, "camera": BUILT_IN_CAMERAS, "detector": BUILT_IN_DETECTORS}
_PROGRAM = """
import sys
from importlib.metadata import EntryPoint
try:
    EntryPoint("", sys.argv[1], "").load()
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def check_plugins(machine: Machine) -> Iterator[Finding]:
    """Load each plug-in, in a process of its own: none of them is trusted not to crash or hang."""
    plugins = [plugin for kind in KINDS for plugin in installed_plugins(kind)]
    counts = Counter((plugin.kind, plugin.name) for plugin in plugins)
    loaded = []
    for plugin in plugins:
        if plugin.name in _BUILT_IN.get(plugin.kind, ()):
            yield warning(_CHECK, f"{plugin} is never used: Pantel has its own of this name", "remove the plug-in")
        elif counts[plugin.kind, plugin.name] > 1:
            yield problem(_CHECK, f"{plugin} is one of several of this name, so none is used", "remove all but one")
        elif (finding := _loading(machine, plugin)) is None:
            loaded.append(str(plugin))
        else:
            yield finding
    if loaded:
        yield ok(_CHECK, ", ".join(loaded))


def _loading(machine: Machine, plugin: Plugin) -> Finding | None:
    """Return what is wrong with a plug-in; None if it can be loaded."""
    done = machine.python("-c", _PROGRAM, plugin.point.value, timeout_s=_LOADING_TIMEOUT_S)
    if done.code == 0:
        return None
    if done.code == TIMED_OUT:
        return note(_CHECK, f"{plugin} was not loaded within {_LOADING_TIMEOUT_S:.0f} s")
    if done.code < 0:
        return problem(_CHECK, f"{plugin} crashes (signal {-done.code}) when it is loaded", "remove it")
    why = (done.errors.strip().splitlines() or ["nothing said"])[-1]
    return problem(_CHECK, f"{plugin} cannot be loaded: {why}", "install what it needs, or remove it")
