"""Plug-ins: what other distributions add, found by entry points and loaded when somebody names it.

The groups are ``pantel.ports``, ``pantel.cameras``, ``pantel.detectors`` and ``pantel.sinks``. Names that Pantel has
itself are its own: whoever looks for a plug-in has looked among the built-in ones before.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pantel_link.errors import PluginError

__all__ = ["KINDS", "PLUGIN_FAILURES", "Plugin", "find_plugin", "installed_plugins"]

KINDS = ("port", "camera", "detector", "sink")

PLUGIN_FAILURES = (Exception, SystemExit)
"""What a plug-in may raise and nothing else may end by: also `sys.exit`, which is not its to call."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plug-in that is installed; none of its code has run.

    Attributes:
        kind: What it adds, one of `KINDS`.
        name: By which it is named.
        distribution: Who brings it, with the version.
        point: Where it is.
    """

    kind: str
    name: str
    distribution: str
    point: EntryPoint

    def __str__(self) -> str:
        return f"the {self.kind} {self.name!r} of {self.distribution}"

    def load(self) -> Any:
        """Import the plug-in and return what its entry point names.

        Raises:
            PluginError: That fails.
        """
        try:
            return self.point.load()
        except PLUGIN_FAILURES as error:  # whatever a foreign module does while it is imported
            raise PluginError(
                f"{self} cannot be loaded ({_why(error)}); install what it needs, or remove it"
            ) from error

    def blamed(self, error: BaseException) -> str:
        """Return a line that says that the plug-in has raised what it must not."""
        return f"{self} failed ({_why(error)}); report it to its makers"


def installed_plugins(kind: str) -> tuple[Plugin, ...]:
    """Return all plug-ins of a kind, by their names; none is loaded."""
    return tuple(
        Plugin(kind, point.name, _distribution(point), point)
        for point in sorted(entry_points(group=f"pantel.{kind}s"), key=lambda point: (point.name, point.value))
    )


def find_plugin(kind: str, name: str) -> Plugin | None:
    """Return the plug-in of a name; None if none is installed.

    Raises:
        PluginError: Several have it.
    """
    found = [plugin for plugin in installed_plugins(kind) if plugin.name == name]
    if len(found) > 1:
        owners = " and ".join(plugin.distribution for plugin in found)
        raise PluginError(f"there are several plug-ins for the {kind} {name!r}, of {owners}; remove all but one")
    return found[0] if found else None


def _why(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _distribution(point: EntryPoint) -> str:
    return "an unknown distribution" if point.dist is None else f"{point.dist.name} {point.dist.version}"
