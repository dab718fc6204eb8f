"""The demo on the receiver's page: both daemons as an operator starts them, joined by a simulated line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from pantel_bench.errors import DemoError
from pantel_bench.rig.run import channel_settings
from pantel_bench.rig.settings import RigSettings
from pantel_device.command import UsageError
from pantel_device.config.values import split_address
from pantel_device.daemon import StopRequest, stop_on_signals
from pantel_device.sending.boot_epoch import begin_epochs
from pantel_link import PtyNullModem, new_master_key, write_key

__all__ = ["LivePage", "show_live"]

_START_TIMEOUT_S = 60.0  # a small loaded machine takes long to import everything
_END_TIMEOUT_S = 10.0
_POLL_S = 0.2
_STILL_BYTES = 1200


@dataclass(frozen=True, slots=True)
class LivePage:
    """Where the page is, and what it keeps.

    Attributes:
        address: Host and port of the page, such as 127.0.0.1:8080.
        folder: Where stills and recordings are left.
    """

    address: str
    folder: Path


def show_live(settings: RigSettings, page: LivePage, seconds: float | None) -> None:
    """Let both daemons run until a signal comes or the time is over, and tell where to look.

    The line carries both ways and there is a key, so that the page can ask for a still.

    Args:
        settings: Of the demo; `camera` may be any, `seconds` is not looked at.
        page: Of the receiver.
        seconds: Time after which to end [s]; None for never.

    Raises:
        UsageError: The page cannot be at that address, or the folder cannot be written to.
        DemoError: A daemon ended, which has said why, or the page does not answer.
        PortError: No pseudo-terminal can be had.
    """
    _check(page)
    with ExitStack() as stack:
        request = stack.enter_context(stop_on_signals())
        state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pantel-live-")))
        master = new_master_key()
        key = master.sender_key(0, settings.callsign)
        write_key(state / "master.key", master)
        write_key(state / "mast.key", key)
        begin_epochs(state / "mast", key, epoch=0)  # the key is new, whatever the clock says
        modem = stack.enter_context(PtyNullModem(channel_settings(settings)))
        daemons = {
            "receiver": stack.enter_context(_daemon("receive", _receiver(settings, page, state, modem))),
            "sender": stack.enter_context(_daemon("send", _sender(settings, state, modem))),
        }
        _await_page(page.address, daemons, request)
        sys.stdout.write(f"live: http://{page.address}/ (Ctrl-C ends it)\n")
        sys.stdout.flush()
        end_s = None if seconds is None else time.monotonic() + seconds
        while request.reason is None and (end_s is None or time.monotonic() < end_s):
            _check_daemons(daemons, request)
            time.sleep(_POLL_S)


def _check(page: LivePage) -> None:
    """See whether the page and what it keeps have their places."""
    try:
        host, number = split_address(page.address)
    except ValueError as error:
        raise UsageError(f"the page cannot be at {page.address}: {error}") from error
    try:
        with socket.create_server((host, number), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise UsageError(f"the page cannot be at {page.address}: {reason}; name another address with --live") from error
    try:
        page.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {page.folder}: {error.strerror}; name another with --out") from error


def _receiver(settings: RigSettings, page: LivePage, state: Path, modem: PtyNullModem) -> Mapping[str, object]:
    return {
        "port": modem.far_path,
        "bitrate_bps": settings.bitrate_bps,
        "callsign": settings.callsign,
        "web": page.address,
        "picture": "",
        "events": "",
        "stills": page.folder / "stills",
        "recordings": page.folder / "recordings",
        "key_file": state / "master.key",
        "back_channel": "true",
        "state_dir": state / "home",
    }


def _sender(settings: RigSettings, state: Path, modem: PtyNullModem) -> Mapping[str, object]:
    return {
        "port": modem.near_path,
        "bitrate_bps": settings.bitrate_bps,
        "callsign": settings.callsign,
        "camera": settings.camera,
        "mask": str(settings.masked).lower(),
        "still_bytes": _STILL_BYTES,
        "telemetry_interval_s": 30,
        "key_file": state / "mast.key",
        "back_channel": "true",
        "state_dir": state / "mast",
    }


@contextmanager
def _daemon(command: str, options: Mapping[str, object]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a daemon; it is gone when the context is left, or this process has ended."""
    words = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    # A session of its own: Ctrl-C on the terminal ends the demo, which then ends its daemons in order.
    program = [sys.executable, "-m", "pantel_bench.demo.bound_daemon", str(os.getpid())]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [*program, command, "--log-level", "warning", *words], start_new_session=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _check_daemons(daemons: Mapping[str, subprocess.Popen[bytes]], request: StopRequest) -> None:
    for name, process in daemons.items():
        if process.poll() is not None and request.reason is None:
            raise DemoError(
                f"the demo's {name} has ended with exit code {process.returncode}; what it says stands above"
            )


def _await_page(address: str, daemons: Mapping[str, subprocess.Popen[bytes]], request: StopRequest) -> None:
    """Wait until the page answers."""
    end_s = time.monotonic() + _START_TIMEOUT_S
    while request.reason is None:
        _check_daemons(daemons, request)
        connection = HTTPConnection(address, timeout=2)
        try:
            connection.request("GET", "/health")
            connection.getresponse().read()
        except (OSError, HTTPException):
            if time.monotonic() > end_s:
                raise DemoError(f"the page at {address} does not answer; name another address with --live") from None
            time.sleep(_POLL_S)
        else:
            return
        finally:
            connection.close()
