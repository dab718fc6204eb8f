"""Opens the page of a receiver: puts hub, server and what it serves together."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pantel_device.command import UsageError
from pantel_device.config import ReceiverConfig
from pantel_device.config.values import split_address
from pantel_device.receiving.liveness import alive_ns
from pantel_device.receiving.senders import Senders
from pantel_device.web.access.complaints import Complaints
from pantel_device.web.access.connections import guarded
from pantel_device.web.access.doorkeeper import Doorkeeper, Limits
from pantel_device.web.access.host_names import HostNames
from pantel_device.web.access.log_in_limiter import LogInLimiter
from pantel_device.web.access.sessions import Sessions
from pantel_device.web.access.token_file import read_token
from pantel_device.web.app import Parts, make_app
from pantel_device.web.facts import Abilities, Facts
from pantel_device.web.hub import Hub
from pantel_device.web.metrics.figures import Figures, LineFigures
from pantel_device.web.server import PageServer
from pantel_device.web.state import LinkMeter
from pantel_link import Clock
from pantel_models import View

__all__ = ["Page", "open_page"]

log = logging.getLogger(__name__)

_BACKLOG = 64
_REASONS = {
    errno.EADDRINUSE: "another program uses it",
    errno.EACCES: "ports below 1024 are for root",
    errno.EADDRNOTAVAIL: "it is no address of this machine",
}
_MAY_PASS = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, socket.EAI_AGAIN)
_IP_FREEBIND = 15  # of <linux/in.h>, for IPv6, too: listen at an address that the machine does not have yet


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is being served.

    Attributes:
        hub: What the receiver must tell.
        host: Address at which it is served.
        port: Port of it.
    """

    hub: Hub
    host: str
    port: int

    @property
    def url(self) -> str:
        """Under which address a browser finds it; of all the machine's, the one by name."""
        if ipaddress.ip_address(self.host).is_unspecified:
            return f"http://{socket.gethostname()}:{self.port}/"
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/"


def open_page(
    config: ReceiverConfig,
    *,
    clock: Clock,
    stack: ExitStack,
    patient: bool = False,
    limits: Limits | None = None,
) -> Page | None:
    """Open the page; return None if the address is taken, and nobody has chosen it or somebody is patient.

    Args:
        config: Of the receiver; `web` is not empty.
        clock: Its monotonic clock.
        stack: Closes the page.
        patient: Whether to begin where the machine does not have the address yet, and without a page if need be.
        limits: What a connection may take.

    Raises:
        UsageError: The address or the token cannot be used.
    """
    token = read_token(Path(config.web_token_file)) if config.web_token_file else None
    try:
        listener = _listen(config.web, patient=patient)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or error.strerror
        said = f"the page cannot be at web = {config.web}: {reason}; name another address or port"
        if "web" in config.model_fields_set and not (patient and error.errno in _MAY_PASS):
            raise UsageError(said) from error
        log.warning("no page reason=%s", said)
        return None
    if token is None and not _is_loopback(listener):
        listener.close()
        raise UsageError(
            f"web = {config.web} can be reached from other machines, so it needs a token: make one with "
            "pantel key token FILE, and name that with web_token_file"
        )
    facts = _facts(config, clock, log_out=token is not None)
    figures = Figures((LineFigures(line.port, line.bitrate_bps) for line in config.all_lines), clock.now_ns)
    hub, server = _assemble(config, listener, token, facts=facts, figures=figures, limits=limits or Limits())
    page = Page(hub, *listener.getsockname()[:2])
    server.start()
    stack.callback(server.stop)
    log.info("page url=%s token=%s", page.url, "none" if token is None else "needed")
    return page


def _facts(config: ReceiverConfig, clock: Clock, *, log_out: bool) -> Facts:
    return Facts(
        senders=Senders(alive_ns(config.all_lines, acknowledges=bool(config.acknowledge_s))),
        meter=LinkMeter([(line.port, line.bitrate_bps) for line in config.all_lines]),
        views=(config.view, *(view for view in View if view is not config.view)),
        playout_delay_s=config.playout_delay_s,
        abilities=Abilities(
            ask=config.back_channel,
            stills=bool(config.stills),
            recordings=bool(config.recordings),
            log_out=log_out,
        ),
        now_ns=clock.now_ns,
    )


def _assemble(
    config: ReceiverConfig,
    listener: socket.socket,
    token: bytes | None,
    *,
    facts: Facts,
    figures: Figures,
    limits: Limits,
) -> tuple[Hub, PageServer]:
    port = listener.getsockname()[1]
    hub = Hub()
    encoders = ThreadPoolExecutor(1, "pantel-jpeg")
    complaints = Complaints()
    doorkeeper = Doorkeeper(limits)
    sessions = None if token is None else Sessions(token, config.state_dir / "web_ended_sessions.json")
    parts = Parts(
        facts=facts,
        figures=figures,
        default_view=config.view,
        stills=Path(config.stills) if config.stills else None,
        recordings=Path(config.recordings) if config.recordings else None,
        state_dir=config.state_dir if config.back_channel else None,
        sessions=sessions,
        limiter=LogInLimiter(),
        host_names=HostNames(config.web_names, port=port, loopback=_is_loopback(listener)),
        complaints=complaints,
        cookie_port=port,
        body_s=limits.body_s,
    )
    server = PageServer(
        listener=listener,
        make_app=partial(make_app, parts),
        protocols=guarded(doorkeeper, complaints),
        doorkeeper=doorkeeper,
        complaints=complaints,
        hub=hub,
        facts=facts,
        figures=figures,
        sessions=sessions,
        encoders=encoders,
    )
    return hub, server


def _listen(address: str, *, patient: bool) -> socket.socket:
    """Listen at an address, even one that the machine does not have yet if somebody is patient.

    Raises:
        OSError: It cannot be used.
    """
    host, port = split_address(address)
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if patient:
            listener.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        stack.pop_all()
    return listener


def _is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine can reach a socket."""
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback
