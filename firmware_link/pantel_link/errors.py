"""Errors of the link.

The type says whose fault it is and what to do now::

    LinkError
     +-- PacketError           the other side, or noise: drop it, count it, go on
     |    +-- CodewordError    more errors than the parity corrects
     |    +-- HeaderError      another protocol version, or a kind that has no meaning yet
     |    +-- IdentityError    an IDENT payload that describes no possible stream
     |    +-- ContextError     nobody has introduced the sender yet: wait for its IDENT
     |    +-- TrailerError     the trailer fits no known stream
     |    +-- SecurityError    its stream needs a key that we do not have, or has none and must have one
     |    +-- ReplayError      it is a recording of a packet that was sent before
     +-- PayloadError          you: the payload does not fit the packet, or it is not the time for one
     +-- CallsignError         the operator: no callsign, or one that must not go on the air
     +-- KeyFileError          the operator: no key, or one that others can read
     +-- EpochUsedUp           nobody: the sender must start again, with a new epoch
     +-- CaptureError          the operator: the file is no capture, or damaged
     +-- PluginError           the makers of a plug-in: it cannot be loaded, or does what it must not
     +-- PortError             the operator: the port cannot be opened
          +-- PortNameError    nor ever will: there is no such kind of port, or an option of it cannot be
          +-- PortGone         it was open and was unplugged: back off and open it again
          +-- PortClosed       you: used after ``close()``
"""

from __future__ import annotations

__all__ = [
    "CallsignError",
    "CaptureError",
    "CodewordError",
    "ContextError",
    "EpochUsedUp",
    "HeaderError",
    "IdentityError",
    "KeyFileError",
    "LinkError",
    "PacketError",
    "PayloadError",
    "PluginError",
    "PortClosed",
    "PortError",
    "PortGone",
    "PortNameError",
    "ReplayError",
    "SecurityError",
    "TrailerError",
]


class LinkError(Exception):
    """Anything that can go wrong on the link."""


class PacketError(LinkError):
    """Octets that are not a packet for us; a receiver drops and counts them."""


class CodewordError(PacketError):
    """A codeword holds more errors than its parity corrects."""


class HeaderError(PacketError):
    """The header names another protocol version or an unassigned kind."""


class IdentityError(PacketError):
    """An IDENT payload that describes no possible stream."""


class ContextError(PacketError):
    """No stream of this sender is known, so the trailer cannot be checked."""


class TrailerError(PacketError):
    """The trailer fits no known stream of this sender."""


class SecurityError(PacketError):
    """A stream needs a key that we do not have, or has none where only streams with one are taken."""


class ReplayError(PacketError):
    """A recording of an earlier start of the sender."""


class PayloadError(LinkError):
    """A payload was submitted that is too long, or before the sender was ready for it."""


class CallsignError(LinkError):
    """The callsign is malformed, or the default one was about to go on the air."""


class KeyFileError(LinkError):
    """There is no key, it is damaged, or others can read it."""


class EpochUsedUp(LinkError):  # noqa: N818 - a state of the world, not a mistake
    """All counters of a stream have been used: the sender must start again."""


class CaptureError(LinkError):
    """A file is no capture, or is damaged."""


class PluginError(LinkError):
    """A plug-in cannot be loaded, or does what it must not; the message names who brings it."""


class PortError(LinkError):
    """The port cannot be opened or used; the message says which and what to do."""


class PortNameError(PortError):
    """What the operator named cannot be a port, whatever is plugged in."""


class PortGone(PortError):  # noqa: N818 - a state of the world, not a mistake
    """The port was open and has disappeared (unplugged, peer closed)."""


class PortClosed(PortError):  # noqa: N818 - a state of the world, not a mistake
    """The port was used after it had been closed."""
