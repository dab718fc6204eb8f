"""`pantel receive`: the receiver daemon."""

from __future__ import annotations

import argparse
import logging
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pantel_device.atomic_file import check_writable, remove_leftovers
from pantel_device.capture_file import check_capture
from pantel_device.command import Command, UsageError, used_wrongly
from pantel_device.commands.options import add_config_options, read_config
from pantel_device.config import ReceiverConfig
from pantel_device.daemon import run_daemon
from pantel_device.line_profile import check_line_rate, line_profile
from pantel_device.outbox import COMMANDS, attending
from pantel_device.pictures import check_picture_suffix
from pantel_device.publishing.publishing import Publishing
from pantel_device.receiving.ground import Ground, Way
from pantel_device.receiving.line import Line
from pantel_device.receiving.line_opener import LateLines, LineOpener, OpenLine
from pantel_device.receiving.plugin_sink import open_plugin_sinks
from pantel_device.receiving.receiver import Receiver
from pantel_device.receiving.sink import Sink, Watcher
from pantel_device.receiving.sinks import EventFile, EventLog, EventStream, PictureFile
from pantel_device.receiving.still_receiver import StillReceiver
from pantel_device.receiving.stills_in import StillFolder
from pantel_device.receiving.stream_memory import StreamMemoryFile
from pantel_device.receiving.watched_receiver import WatchedReceiver
from pantel_device.recordings import Recorder
from pantel_device.rendering.overlay import draw_overlay
from pantel_device.service import ServiceSession, service_session
from pantel_device.service.health import ReceiverHealth
from pantel_link import (
    CallsignError,
    Clock,
    KeyFileError,
    Keyring,
    MasterKey,
    MonotonicClock,
    SenderKey,
    check_callsign,
    read_key,
)
from pantel_link.stills import StillAssembler, StillStore
from pantel_link.streams import KnownStreams
from pantel_models import list_artefacts

if TYPE_CHECKING:
    from pantel_device.web.page import Page

__all__ = ["COMMAND", "receive"]

log = logging.getLogger(__name__)

_NS_PER_S = 1_000_000_000


def receive(config: ReceiverConfig, session: ServiceSession, *, seconds: float | None = None) -> None:
    """Write the pictures and events that a port brings until a signal comes or the time is over.

    Args:
        config: What to receive, and where to put it.
        session: Tells the service manager, and waits for a port that is missing if it is patient.
        seconds: Time after which to end [s]; None for never.

    Raises:
        UsageError: A file cannot be written where the configuration wants it, the page cannot be served there, or the
            key or the name of the port cannot be used.
        CommandError: What must survive a restart cannot be kept.
        ManifestError: A model is missing or damaged.
        PluginError: A plug-in cannot be loaded, or fails.
        PortError: The port cannot be opened, and nobody is patient.
    """
    if config.acknowledge_s and not config.back_channel:
        raise UsageError("acknowledge_s needs a back-channel: add --back-channel true, or leave it at 0")
    _check_outputs(config)
    with used_wrongly(KeyFileError):
        key = read_key(Path(config.key_file)) if config.key_file else None
    for artefact in list_artefacts():
        artefact.check()
    for line in config.all_lines:
        check_line_rate(line.port, bitrate_bps=line.bitrate_bps, baud_rate=line.baud_rate)
    remove_leftovers(*_folders(config))
    clock = MonotonicClock()
    with ExitStack() as stack:
        memory = None
        if key is not None:
            memory = StreamMemoryFile(config.state_dir / "senders.json")
            stack.callback(memory.release)
        # Before the ports, which may be missing for hours: alarms of an earlier run wait for nothing but the network.
        publishing = _open_publishing(config, clock, stack)
        streams = KnownStreams((), Keyring(key), memory)
        opener = LineOpener(config, clock, streams, stack)
        (first, *others), missing = opener.open_all(session)
        page = _open_page(config, clock, stack, patient=session.patient)
        sinks = _open_sinks(config)
        watchers = [
            *_open_events(config),
            *_open_recorder(config, clock, patient=session.patient),
            *publishing.watchers,
        ]
        for sink in (*sinks, *watchers):
            stack.callback(sink.close)
        watchers += open_plugin_sinks(config.sinks, config.view, stack)
        if memory is not None:
            stack.callback(lambda: memory.settle(streams.newest))
        ground = _ground(config, key, first) if config.back_channel else None
        add_way = partial(_add_way, config, ground)
        for each in others:
            add_way(each)
        for late in missing if config.back_channel else ():
            _check_callsign(config, late.config.port, on_air=True)
        receiver = Receiver(
            port=first.port,
            link=first.link,
            further=[*(Line.of(each.port, each.link) for each in others), *(each.line for each in missing)],
            sinks=sinks,
            stills=StillReceiver(
                StillAssembler(StillStore(config.state_dir / "stills"), clock.now_ns()),
                _still_folder(config, patient=session.patient),
                config.view,
            ),
            playout_delay_ns=round(config.playout_delay_s * _NS_PER_S),
            view=config.view,
            ground=ground,
            watchers=watchers if page is None else (*watchers, page.hub),
        )
        if config.back_channel:
            stack.enter_context(attending(config.state_dir / COMMANDS))
        ports = ",".join(line.name for line in receiver.lines)
        log.info("receiving port=%s picture=%s events=%s", ports, config.picture, config.events)
        takers = publishing.takers if page is None else (*publishing.takers, page.hub)
        core = LateLines(WatchedReceiver(receiver, takers) if takers else receiver, opener, missing, add_way)
        run_daemon(core, clock, seconds=seconds, overseer=session.supervisor(ReceiverHealth(receiver)))


def _check_outputs(config: ReceiverConfig) -> None:
    if config.picture:
        check_picture_suffix(Path(config.picture))
        check_writable(Path(config.picture))
    if config.events not in {"", "-", "log"}:
        check_writable(Path(config.events))
    for line in config.all_lines:
        check_capture(line)


def _folders(config: ReceiverConfig) -> list[Path]:
    """Return where files are replaced."""
    folders = [config.state_dir, config.state_dir / COMMANDS]
    folders += [Path(config.picture).resolve().parent] if config.picture else []
    return folders + ([Path(config.stills)] if config.stills else [])


def _open_sinks(config: ReceiverConfig) -> list[Sink]:
    if not config.picture:
        return []
    interval_ns = round(config.picture_interval_s * _NS_PER_S)
    draw = draw_overlay if config.overlay else None
    return [PictureFile(Path(config.picture), interval_ns=interval_ns, draw=draw)]


def _open_events(config: ReceiverConfig) -> list[Watcher]:
    match config.events:
        case "":
            return []
        case "-":
            return [EventStream()]
        case "log":
            return [EventLog()]
        case path:
            return [EventFile(Path(path), config.events_max_bytes)]


def _open_recorder(config: ReceiverConfig, clock: Clock, *, patient: bool) -> list[Watcher]:
    if not config.recordings:
        return []
    try:
        recorder = Recorder(
            Path(config.recordings),
            clock=clock,
            view=config.view,
            quota_bytes=config.recordings_quota_bytes,
            segment_ns=round(config.recording_segment_s * _NS_PER_S),
            patient=patient,
        )
    except OSError as error:
        raise UsageError(
            f"cannot use the folder {config.recordings}: {error.strerror}; name another with --recordings"
        ) from error
    return [recorder]


def _open_page(config: ReceiverConfig, clock: Clock, stack: ExitStack, *, patient: bool) -> Page | None:
    """Open the page, if there is to be one; a receiver without loads none of what it needs."""
    if not config.web:
        return None
    from pantel_device.web.page import open_page

    return open_page(config, clock=clock, stack=stack, patient=patient)


def _open_publishing(config: ReceiverConfig, clock: Clock, stack: ExitStack) -> Publishing:
    """Open what others are told by, if anybody is to be; a receiver without loads none of what it needs."""
    if not (config.mqtt or config.webhook):
        return Publishing()
    from pantel_device.publishing.opening import open_publishing

    return open_publishing(config, clock=clock, stack=stack)


def _ground(config: ReceiverConfig, key: MasterKey | SenderKey | None, line: OpenLine) -> Ground:
    """Return who sends what `pantel ask` leaves."""
    if key is None:
        raise UsageError("--back-channel needs a key: make one with pantel key, and name it with --key-file")
    _check_callsign(config, line.port.name, on_air=line.port.on_air)
    return Ground(
        key=key,
        state_dir=config.state_dir,
        port=line.port,
        profile=line_profile(line.port, config.preset),
        bitrate_bps=line.bitrate_bps,
        link=line.link,
        acknowledge_ns=round(config.acknowledge_s * _NS_PER_S) or None,
    )


def _add_way(config: ReceiverConfig, ground: Ground | None, line: OpenLine) -> None:
    """Let what goes back go out over another line, too."""
    if ground is not None:
        _check_callsign(config, line.port.name, on_air=line.port.on_air)
        ground.add_way(Way(line.port, line_profile(line.port, config.preset), line.bitrate_bps))


def _check_callsign(config: ReceiverConfig, port_name: str, *, on_air: bool) -> None:
    try:
        check_callsign(config.callsign, on_air=on_air)
    except CallsignError as error:
        raise UsageError(f"{error} (--callsign, {port_name})") from error


def _still_folder(config: ReceiverConfig, *, patient: bool) -> StillFolder | None:
    if not config.stills:
        return None
    try:
        return StillFolder(Path(config.stills), config.stills_quota_bytes, patient=patient)
    except OSError as error:
        raise UsageError(
            f"cannot make the folder {config.stills}: {error.strerror}; name another with --stills"
        ) from error


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_options(parser, ReceiverConfig)


def _run(arguments: argparse.Namespace) -> int:
    with service_session(patient=arguments.wait) as session:
        receive(read_config(arguments, ReceiverConfig), session, seconds=arguments.seconds)
    return 0


COMMAND = Command("receive", "receive pictures from a line: on a page, and the newest in a file", _add_arguments, _run)
