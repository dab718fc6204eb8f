"""A connection to a broker, from its beginning to its end. Only here is paho-mqtt used."""

from __future__ import annotations

import errno
import os
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paho.mqtt.client import Client, ConnectFlags, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from pantel_device.config.urls import Server
from pantel_device.errors import BrokerError
from pantel_device.mqtt.topics import Message

__all__ = ["Broker", "Conversation"]

_KEEPALIVE_S = 30  # after half as long again a broker takes a silent receiver for gone
_ANSWER_S = 10.0
_FAREWELL_S = 2.0
_TURN_S = 0.1
_MOST_BYTES = 65_536  # of a packet from the broker; Home Assistant says a word
_ENDED = "the connection was lost"
_HUNG_UP = "it hangs up; is it mqtt there, or mqtts?"
_ADVICE = "is it the right broker, and are mqtt_user and mqtt_password_file right?"


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is, and how it lets us in.

    Attributes:
        server: Where it is.
        client_id: By which it tells clients apart; a second one of the same name ends the first.
        user: Empty for none.
        password: Of the user.
        tls: How to speak TLS with it; None for plain text.
    """

    server: Server
    client_id: str
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None


class _TlsSocket(ssl.SSLSocket):
    """A socket that is closed when no TLS comes about, which paho leaves to chance."""

    def do_handshake(self, block: bool = False) -> None:
        """Agree on keys.

        Raises:
            OSError: That was not possible; the socket is closed.
        """
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


class _Client(Client):
    """A client that takes no packet of any size, which paho would collect in memory: up to 256 MB of it."""

    def _sock_recv(self, bufsize: int) -> bytes:
        """Read up to as many octets as the packet still has.

        Raises:
            OSError: They are too many, or the connection is gone.
        """
        if bufsize > _MOST_BYTES:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        return super()._sock_recv(bufsize)


class _Welcome:
    """What the broker says to a connection.

    Attributes:
        refusal: Why it is refused, empty if it is not; None before the answer.
    """

    def __init__(self) -> None:
        self.refusal: str | None = None

    def take(
        self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        """Take the answer, as paho calls it."""
        self.refusal = str(reason) if reason.is_failure else ""


class Conversation:
    """One connection to a broker, for one thread.

    Every connection has a client of its own, which remembers nothing of those before: what has not been taken is still
    where it waits.

    Args:
        broker: Which.
        will: What the broker publishes if the connection ends otherwise than by `close`; None for nothing.
        topics: To be told of.
        on_message: Called with topic and payload of what comes in.
    """

    def __init__(
        self,
        broker: Broker,
        will: Message | None = None,
        topics: Sequence[str] = (),
        on_message: Callable[[str, bytes], None] | None = None,
    ) -> None:
        self._broker = broker
        self._topics = tuple(topics)
        self._welcome = _Welcome()
        self._client = _Client(
            CallbackAPIVersion.VERSION2,
            broker.client_id,
            protocol=MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        if broker.user:
            self._client.username_pw_set(broker.user, broker.password or None)
        if broker.tls is not None:
            broker.tls.sslsocket_class = _TlsSocket
            self._client.tls_set_context(broker.tls)
        if will is not None:
            self._client.will_set(will.topic, will.payload, will.qos, will.retain)
        # No methods of ours: a client that knew us, and we it, would keep its sockets until garbage is collected.
        self._client.on_connect = self._welcome.take
        if on_message is not None:
            self._client.on_message = lambda _client, _data, message: on_message(message.topic, bytes(message.payload))

    def open(self, patience_s: float = _ANSWER_S) -> None:
        """Connect.

        Args:
            patience_s: Longest time for the connection, and again for the broker's answer [s].

        Raises:
            BrokerError: The broker cannot be reached, or does not let us in.
        """
        server = self._broker.server
        self._client.connect_timeout = patience_s
        try:
            self._client.connect(server.host, server.port, _KEEPALIVE_S)
        except ssl.SSLCertVerificationError as error:
            raise BrokerError(f"its certificate is not believed: {error.verify_message}; see mqtt_ca_file") from error
        except (ssl.SSLError, ConnectionResetError) as error:
            raise BrokerError(_HUNG_UP) from error
        except TimeoutError as error:
            raise BrokerError(f"no answer within {patience_s:.0f} s") from error
        except (OSError, UnicodeError) as error:  # the latter of names that DNS cannot have
            raise BrokerError(getattr(error, "strerror", None) or str(error)) from error
        deadline_s = time.monotonic() + patience_s
        while self._welcome.refusal is None:
            if time.monotonic() > deadline_s:
                self._client.disconnect()
                raise BrokerError(f"it does not answer within {patience_s:.0f} s; is it an MQTT broker?")
            self.turn()
        if self._welcome.refusal:
            raise BrokerError(f"it refuses the connection: {self._welcome.refusal}; {_ADVICE}")
        for topic in self._topics:
            self._client.subscribe(topic, 1)

    def publish(self, message: Message) -> MQTTMessageInfo:
        """Publish a message; `is_published` of what is returned says when the broker has it.

        Raises:
            BrokerError: The connection is gone.
        """
        info = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise BrokerError(_ENDED)
        return info

    def turn(self) -> None:
        """Read and write what can be, or wait for that a tenth of a second.

        Raises:
            BrokerError: The connection is gone.
        """
        code = self._client.loop(_TURN_S)
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS and not self._welcome.refusal:
            raise BrokerError(_HUNG_UP if self._welcome.refusal is None else _ENDED)

    def close(self, last: Message | None = None) -> None:
        """End the connection in order, so that no will is published.

        Args:
            last: What is published before; None for nothing.
        """
        deadline_s = time.monotonic() + _FAREWELL_S
        try:
            info = None if last is None else self.publish(last)
            while info is not None and not info.is_published() and time.monotonic() < deadline_s:
                self.turn()
        except BrokerError:
            return  # the broker publishes the will
        self._client.disconnect()
        sock = self._client.socket()
        if sock is not None:
            sock.close()
