"""Seals: the trailer of a packet, by what protects its stream.

Every seal covers the stream's context, which is never sent, so a packet of another stream, another start of the sender
or another model fails here. Keyed seals cover the packet's whole counter, too: the upper 16 bits of it, the rollover,
are not in the header but both sides know them (as in SRTP, RFC 3711). So no packet can be repeated, ever.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from hashlib import blake2s
from hmac import compare_digest
from typing import TYPE_CHECKING

from pantel_link.context import Security, StreamContext
from pantel_link.errors import KeyFileError, TrailerError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

__all__ = ["TRAILER_OCTETS", "Seal", "make_back_seal", "make_seal"]

TRAILER_OCTETS = 4
_COUNTER_OCTETS = 4
_NONCE_OCTETS = 13  # leaves 2 octets for the length of a payload, RFC 3610


class Seal(ABC):
    """Closes the packets of one stream, and opens them.

    Attributes:
        context: The stream.
        keyed: Whether a key is needed, so that counters must be exact and never come twice.
    """

    keyed: bool = True

    def __init__(self, context: StreamContext) -> None:
        self.context = context

    @abstractmethod
    def close(self, header: bytes, payload: bytes, counter: int, *, readable: bool = False) -> bytes:
        """Return what follows the header on the wire: payload and trailer.

        Args:
            header: Of the packet.
            payload: Of the packet.
            counter: Of the packet, from the start of its sender.
            readable: Whether the payload must be readable without a key, as an IDENT packet's.
        """

    @abstractmethod
    def open(self, header: bytes, sealed: bytes, counter: int, *, readable: bool = False) -> bytes:
        """Return the payload of what `close` returned.

        Raises:
            TrailerError: The trailer does not fit.
        """


class _Checksum(Seal):
    """The CRC-32 (IEEE 802.3, as zlib) over the context and then the packet.

    The context fixes the start of the CRC. Two contexts that differ within 32 neighbouring bits (another epoch, another
    model) never share a trailer: a CRC finds every burst up to its own length.
    """

    keyed = False

    def __init__(self, context: StreamContext) -> None:
        super().__init__(context)
        self._start = zlib.crc32(context.to_bytes())

    def close(self, header: bytes, payload: bytes, counter: int, *, readable: bool = False) -> bytes:  # noqa: ARG002
        return payload + self._trailer(header + payload)

    def open(self, header: bytes, sealed: bytes, counter: int, *, readable: bool = False) -> bytes:  # noqa: ARG002
        payload, trailer = sealed[:-TRAILER_OCTETS], sealed[-TRAILER_OCTETS:]
        if trailer != self._trailer(header + payload):
            raise TrailerError(_misfit(self.context))
        return payload

    def _trailer(self, body: bytes) -> bytes:
        return zlib.crc32(body, self._start).to_bytes(TRAILER_OCTETS, "big")


class _Tag(Seal):
    """BLAKE2s (RFC 7693) with a key of the stream's own, cut to 4 octets, over counter, header and payload."""

    def __init__(self, context: StreamContext, sender_key: bytes, person: bytes = b"pantel-t") -> None:
        super().__init__(context)
        self._key = blake2s(context.to_bytes(), key=sender_key, person=person).digest()

    def close(self, header: bytes, payload: bytes, counter: int, *, readable: bool = False) -> bytes:  # noqa: ARG002
        return payload + self._tag(header + payload, counter)

    def open(self, header: bytes, sealed: bytes, counter: int, *, readable: bool = False) -> bytes:  # noqa: ARG002
        payload, trailer = sealed[:-TRAILER_OCTETS], sealed[-TRAILER_OCTETS:]
        if counter < 0 or not compare_digest(trailer, self._tag(header + payload, counter)):
            raise TrailerError(_misfit(self.context))
        return payload

    def _tag(self, body: bytes, counter: int) -> bytes:
        return blake2s(_octets(counter) + body, key=self._key, digest_size=TRAILER_OCTETS).digest()


class _Cipher(Seal):
    """AES-256-CCM (RFC 3610) with tags of 4 octets and a key of the stream's own; the counter is the nonce.

    A stream's context has the boot epoch in it, which comes once, so no key meets a nonce twice. Who must be able to
    read a payload without the key gets a `_Tag`.
    """

    def __init__(self, context: StreamContext, sender_key: bytes) -> None:
        super().__init__(context)
        self._tag = _Tag(context, sender_key)
        key = blake2s(context.to_bytes(), key=sender_key, person=b"pantel-e").digest()
        self._cipher = _aes_ccm(key)

    def close(self, header: bytes, payload: bytes, counter: int, *, readable: bool = False) -> bytes:
        if readable:
            return self._tag.close(header, payload, counter)
        return bytes(self._cipher.encrypt(_octets(counter, _NONCE_OCTETS), payload, header))

    def open(self, header: bytes, sealed: bytes, counter: int, *, readable: bool = False) -> bytes:
        if readable:
            return self._tag.open(header, sealed, counter)
        from cryptography.exceptions import InvalidTag

        if counter < 0:
            raise TrailerError(_misfit(self.context))
        try:
            return bytes(self._cipher.decrypt(_octets(counter, _NONCE_OCTETS), sealed, header))
        except InvalidTag as error:
            raise TrailerError(_misfit(self.context)) from error


def make_seal(context: StreamContext, sender_key: bytes | None = None) -> Seal:
    """Return the seal of a stream.

    Args:
        context: The stream.
        sender_key: 32 octets; needed unless the stream is only checked.

    Raises:
        KeyFileError: There is no key, or encryption is not installed.
    """
    if context.security is Security.CHECKED:
        return _Checksum(context)
    if sender_key is None:
        raise KeyFileError(f"a stream that is {context.security.name.lower()} needs a key: set key_file")
    return (_Tag if context.security is Security.AUTHENTICATED else _Cipher)(context, sender_key)


def make_back_seal(context: StreamContext, sender_key: bytes) -> Seal:
    """Return the seal of commands to a mast: always authenticated, never encrypted, with a key of its own.

    Args:
        context: Of the mast's stream.
        sender_key: 32 octets.
    """
    return _Tag(context, sender_key, b"pantel-b")


def _aes_ccm(key: bytes) -> AESCCM:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESCCM
    except ImportError as error:
        raise KeyFileError("encryption is not installed: pip install '.[encryption]'") from error
    return AESCCM(key, tag_length=TRAILER_OCTETS)


def _octets(counter: int, octets: int = _COUNTER_OCTETS) -> bytes:
    return counter.to_bytes(octets, "big")


def _misfit(context: StreamContext) -> str:
    return f"trailer fits no known stream of sender {context.sender}"
