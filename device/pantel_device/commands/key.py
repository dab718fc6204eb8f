"""`pantel key`: keys for authenticated links."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pantel_device.atomic_file import check_writable
from pantel_device.command import Command, UsageError, used_wrongly
from pantel_device.config import default_state_dir
from pantel_device.sending.boot_epoch import begin_epochs
from pantel_device.web.access.token_file import write_new_token
from pantel_link import CallsignError, KeyFileError, MasterKey, new_master_key, read_key, write_key
from pantel_link.context import EPOCH_BITS, SENDER_BITS

__all__ = ["COMMAND"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    new = actions.add_parser("new", help="make a master key; it stays with the receiver")
    new.add_argument("file", type=Path, metavar="FILE", help="new file, readable by its owner alone")
    new.set_defaults(handle=_new)
    derive = actions.add_parser("derive", help="make the key of one sender from the master key; it goes to the mast")
    derive.add_argument("master", type=Path, metavar="MASTER", help="master key")
    derive.add_argument("file", type=Path, metavar="FILE", help="new file, readable by its owner alone")
    derive.add_argument("--callsign", required=True, metavar="C", help="callsign of the sender")
    derive.add_argument("--sender", type=int, default=0, metavar="N", help="number of the sender (default: 0)")
    derive.set_defaults(handle=_derive)
    begin = actions.add_parser(
        "begin", help="begin the epochs of a key: on the mast, once, before it is used there for the first time"
    )
    begin.add_argument("file", type=Path, metavar="FILE", help="key of the sender")
    begin.add_argument(
        "--state-dir",
        type=Path,
        default=default_state_dir(),
        metavar="DIR",
        help="state_dir of pantel send (default: %(default)s)",
    )
    begin.add_argument("--epoch", type=int, metavar="N", help="epoch to begin at (default: by the clock)")
    begin.set_defaults(handle=_begin)
    token = actions.add_parser("token", help="make a token that opens the receiver's page")
    token.add_argument("file", type=Path, metavar="FILE", help="new file, readable by its owner alone")
    token.set_defaults(handle=_token)


def _run(arguments: argparse.Namespace) -> int:
    handled: int = arguments.handle(arguments)
    return handled


def _check_new(path: Path, what: str) -> None:
    """Refuse a place for a new file that cannot be one."""
    check_writable(path)
    if path.exists():
        raise UsageError(f"{path} exists, and {what} are never overwritten; name another file")


def _new(arguments: argparse.Namespace) -> int:
    _check_new(arguments.file, "keys")
    write_key(arguments.file, new_master_key())
    sys.stdout.write(f"{arguments.file}: master key; set key_file of pantel receive to it, and keep a copy\n")
    return 0


def _derive(arguments: argparse.Namespace) -> int:
    if not 0 <= arguments.sender < 1 << SENDER_BITS:
        raise UsageError(f"--sender is {arguments.sender} and must lie in 0..{(1 << SENDER_BITS) - 1}")
    with used_wrongly(KeyFileError):
        master = read_key(arguments.master)
    if not isinstance(master, MasterKey):
        raise UsageError(f"{arguments.master} is no master key but that of sender {master.sender}, {master.callsign}")
    _check_new(arguments.file, "keys")
    with used_wrongly(CallsignError):
        key = master.sender_key(arguments.sender, arguments.callsign.upper())
    write_key(arguments.file, key)
    sys.stdout.write(
        f"{arguments.file}: key of sender {key.sender}, {key.callsign}; on the mast, first: pantel key begin\n"
    )
    return 0


def _begin(arguments: argparse.Namespace) -> int:
    with used_wrongly(KeyFileError):
        key = read_key(arguments.file)
    if isinstance(key, MasterKey):
        raise UsageError(f"{arguments.file} is a master key, which stays at home; derive the sender's")
    if arguments.epoch is not None and not 0 <= arguments.epoch < 1 << EPOCH_BITS:
        raise UsageError(f"--epoch is {arguments.epoch} and must lie in 0..{(1 << EPOCH_BITS) - 1}")
    path = begin_epochs(arguments.state_dir, key, arguments.epoch)
    sys.stdout.write(f"{path}: keep it as long as the key\n")
    return 0


def _token(arguments: argparse.Namespace) -> int:
    _check_new(arguments.file, "tokens")
    write_new_token(arguments.file)
    sys.stdout.write(
        f"{arguments.file}: token; set web_token_file of pantel receive to it, and log in with what it holds\n"
    )
    return 0


COMMAND = Command("key", "make keys, so that only your senders are believed", _add_arguments, _run)
