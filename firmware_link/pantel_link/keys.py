"""Keys: one master, from which every sender's key follows, and the files that hold them.

A mast carries only its own key, so who steals a mast can imitate that one alone. A receiver with the master key knows
all senders; one with a sender's key knows that one.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from hashlib import blake2s
from pathlib import Path

from pantel_link.callsign import CALLSIGN_BITS, encode_callsign
from pantel_link.context import SENDER_BITS, Security, StreamContext
from pantel_link.errors import CallsignError, KeyFileError, SecurityError
from pantel_link.seal import Seal, make_seal
from pantel_link.secret_file import write_secret

__all__ = ["Keyring", "MasterKey", "SenderKey", "new_master_key", "read_key", "write_key"]

_KEY_OCTETS = 32
_HIDDEN = "hidden"
_LINE = re.compile(r"pantel-key-1 (?:master|sender (?P<sender>\d{1,2}) (?P<callsign>\S{1,9})) (?P<key>[0-9a-f]{64})\n?")


@dataclass(frozen=True, slots=True, repr=False)
class MasterKey:
    """The key of everything: it stays at home."""

    key: bytes

    def sender_key(self, sender: int, callsign: str) -> SenderKey:
        """Return the key of one sender.

        Raises:
            CallsignError: The callsign is malformed.
        """
        name = bytes([sender]) + encode_callsign(callsign).to_bytes(CALLSIGN_BITS // 8, "big")
        return SenderKey(sender, callsign, blake2s(name, key=self.key, person=b"pantel-s").digest())

    def __repr__(self) -> str:
        return f"MasterKey({_HIDDEN})"


@dataclass(frozen=True, slots=True, repr=False)
class SenderKey:
    """The key of one sender, 32 octets."""

    sender: int
    callsign: str
    key: bytes

    @property
    def fingerprint(self) -> str:
        """Eight digits that name the key and do not tell it."""
        return blake2s(self.key, digest_size=4, person=b"pantel-f").hexdigest()

    def sender_key(self, sender: int, callsign: str) -> SenderKey | None:
        """Return itself if it is the key of that sender, else None."""
        return self if (sender, callsign) == (self.sender, self.callsign) else None

    def __repr__(self) -> str:
        return f"SenderKey({self.sender}, {self.callsign!r}, {_HIDDEN})"


class Keyring:
    """What a receiver needs to check the streams that it hears.

    Without a key it takes streams that are only checked. With one it takes none of those: anybody can make them.

    Args:
        key: Of all senders or of one; None for none.
    """

    def __init__(self, key: MasterKey | SenderKey | None = None) -> None:
        self._key = key

    def seal(self, context: StreamContext) -> Seal:
        """Return the seal of a stream that somebody announces.

        Raises:
            SecurityError: The stream needs a key that is not here, or it has none and must have one.
        """
        if context.security is Security.CHECKED:
            if self._key is not None:
                raise SecurityError(f"sender {context.sender} is not authenticated, and this receiver has a key")
            return make_seal(context)
        key = None if self._key is None else self._key.sender_key(context.sender, context.callsign)
        if key is None:
            raise SecurityError(f"there is no key for sender {context.sender}, {context.callsign}: set key_file")
        try:
            return make_seal(context, key.key)
        except KeyFileError as error:
            raise SecurityError(str(error)) from error


def new_master_key() -> MasterKey:
    """Return a key that nobody has seen."""
    return MasterKey(secrets.token_bytes(_KEY_OCTETS))


def write_key(path: Path, key: MasterKey | SenderKey) -> None:
    """Write a key to a new file that only its owner can read.

    Raises:
        KeyFileError: The file exists, or cannot be written.
    """
    owner = "master" if isinstance(key, MasterKey) else f"sender {key.sender} {key.callsign}"
    try:
        write_secret(path, f"pantel-key-1 {owner} {key.key.hex()}")
    except FileExistsError as error:
        raise KeyFileError(f"{path} exists, and keys are never overwritten; name another file") from error
    except OSError as error:
        raise KeyFileError(f"cannot write the key {path}: {error.strerror}") from error


def read_key(path: Path) -> MasterKey | SenderKey:
    """Read a key.

    A service's may belong to root, so that the service cannot change it, and be readable by the service's group.

    Raises:
        KeyFileError: There is none, others can read it, or it is damaged.
    """
    try:
        status = path.stat()
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise KeyFileError(f"cannot read the key {path}: {error.strerror}") from error
    if status.st_mode & (0o037 if status.st_uid == 0 else 0o077):
        raise KeyFileError(f"others can read the key {path}: chmod 600 {path}")
    found = _LINE.fullmatch(text)
    if found is None:
        raise KeyFileError(f"{path} holds no key; make one with: pantel key new {path}")
    key = bytes.fromhex(found["key"])
    if found["sender"] is None:
        return MasterKey(key)
    sender, callsign = int(found["sender"]), found["callsign"]
    try:
        encode_callsign(callsign)
    except CallsignError as error:
        raise KeyFileError(f"{path} is damaged: {error}") from error
    if sender >= 1 << SENDER_BITS:
        raise KeyFileError(f"{path} is damaged: there is no sender {sender}")
    return SenderKey(sender, callsign, key)
