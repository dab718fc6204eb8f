"""What an attack has tried, and what came of it."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from pantel_link import PacketError

_Result = TypeVar("_Result")
_MOST_TOLD = 5
_MOST_SHOWN = 260


@dataclass(slots=True)
class Report:
    """Counts of an attack.

    Attributes:
        inputs: What was tried, by the part that reads it.
        checked: Inputs of which a trailer was computed.
        refused: Inputs that a reader of payloads or captures refused with its own error.
        undetected: Packets that were delivered and that nobody sent, or that came twice with a key.
        lost: Genuine packets that were not delivered, though nothing was wrong with them.
        forged: Packets made without the key.
        forged_accepted: Those among them that were delivered, or changed what the receiver knows.
        replayed: Recordings, by when they were played.
        replayed_accepted: Those among them that were delivered.
        raised: Exceptions that nobody expects, and counts that do not add up.
        told: The first few of what must not be, with the input that did it.
    """

    inputs: Counter[str] = field(default_factory=Counter)
    checked: int = 0
    refused: int = 0
    undetected: int = 0
    lost: int = 0
    forged: Counter[str] = field(default_factory=Counter)
    forged_accepted: Counter[str] = field(default_factory=Counter)
    replayed: Counter[str] = field(default_factory=Counter)
    replayed_accepted: Counter[str] = field(default_factory=Counter)
    raised: int = 0
    told: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether every attack was in vain."""
        accepted = self.forged_accepted.total() + self.replayed_accepted.total()
        return not (self.undetected or self.lost or self.raised or accepted)

    def attempt(self, octets: bytes, read: Callable[[], _Result]) -> _Result | None:
        """Return what a reader makes of octets, None if that is its own error; note any other."""
        try:
            return read()
        except PacketError:
            self.refused += 1
        except Exception:  # noqa: BLE001 - that is what we look for
            self.complain(f"{traceback.format_exc(limit=-3)}{len(octets)} octets: {octets[:_MOST_SHOWN].hex()}")
        return None

    def complain(self, text: str) -> None:
        """Note something that must not be."""
        self.raised += 1
        self._tell(text)

    def deceive(self, packet: object) -> None:
        """Note a packet that was delivered and must not be."""
        self.undetected += 1
        self._tell(f"undetected: {packet}")

    def _tell(self, text: str) -> None:
        if len(self.told) < _MOST_TOLD:
            self.told.append(text)

    def lines(self) -> list[str]:
        """Return all of it for people."""
        parts = ", ".join(f"{count} {part}" for part, count in self.inputs.items())
        return [
            f"{self.inputs.total()} inputs: {parts}",
            f"{self.checked} reached the trailer check; chance lets {self.checked / 2**32:.6f} of them pass",
            f"{self.undetected} undetected errors, {self.raised} unexpected exceptions",
            f"{self.lost} genuine packets lost",
            *_attack("forged", self.forged, self.forged_accepted),
            *_attack("replayed", self.replayed, self.replayed_accepted),
            *self.told,
        ]


def _attack(name: str, tried: Counter[str], accepted: Counter[str]) -> list[str]:
    lines = [f"{tried.total()} {name} packets: {accepted.total()} accepted"]
    return lines + [f"    {count} {kind}: {accepted[kind]} accepted" for kind, count in tried.items()]
