"""What a daemon keeps: its key, its epochs, and whether it can write where it must."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pantel_device.doctor.finding import Finding, note, ok, problem, split_advice
from pantel_device.doctor.machine import Machine
from pantel_device.doctor.setups import Setup
from pantel_device.sending.boot_epoch import epoch_file, read_epoch
from pantel_link import CallsignError, KeyFileError, SenderKey, read_key

__all__ = ["check_key", "check_outputs", "check_state", "check_tokens"]

_OTHERS = stat.S_IRWXO
_SUDO = "ask again with sudo"


def check_key(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Look at the key of a setup: who can read it, and whose it is."""
    named = setup.text("key_file")
    if not named:
        without = [key for key in ("encrypt", "back_channel") if setup.value(key)]
        if without:
            yield problem("key", f"{without[0]} needs a key, and none is named", "pantel key new, then set key_file")
        else:
            yield note("key", "none: anybody with a radio can send pictures in your name", "see pantel key --help")
        return
    path = setup.place(machine, named)
    status, trouble = _look(path, named, setup)
    if status is None:
        yield trouble
        return
    if not setup.account.may(path, os.R_OK):
        who = setup.account.name
        yield problem("key", f"{who} may not read {named}", f"sudo chgrp {who} {named} && sudo chmod 640 {named}")
        return
    try:
        key = read_key(path)
        fitting = key.sender_key(_sender(setup), setup.text("callsign"))
    except (KeyFileError, CallsignError) as error:
        found, advice = split_advice(str(error))
        yield problem("key", found, advice)
        return
    if setup.role == "sender" and fitting is None:
        yield problem(
            "key", f"{named} is that of another sender or callsign", "make one with pantel key derive, or set callsign"
        )
        return
    whose = f"sender {key.sender}, {key.callsign}" if isinstance(key, SenderKey) else "all senders"
    yield ok("key", f"{named}, of {whose}, and nobody else can read it")


def check_state(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Look at the folder for what must survive a restart, and at the epoch of a sender."""
    named = setup.config.state_dir
    path = setup.place(machine, named)
    try:
        trouble = _folder_trouble(machine, setup, path, "set state_dir to another")
        if trouble:
            yield problem("state", *trouble)
            return
        found = f"{machine.name(path)} can be written to by {setup.account.name}"
        yield ok("state", found if path.exists() else f"{machine.name(path)} will be made at the start")
        if setup.role == "sender":
            yield _epoch(machine, setup, path)
    except PermissionError:
        yield note("state", f"{machine.name(path)} may only be looked at by {setup.account.name}", _SUDO)


def check_outputs(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Look whether files that a daemon writes have a place."""
    told = set()  # lines share the folder of their captures, as a rule: it is told once
    files = [("capture", line.capture) for line in setup.lines]
    files += [(key, setup.text(key)) for key in ("picture", "events")]
    for key, named in files:
        if named in {"", "-", "log"}:
            continue
        path = setup.place(machine, named)
        if path.is_dir():
            yield problem(key, f"{named} is a folder", f"let {key} name a file in it")
            continue
        if path.exists() and not path.is_file():
            continue  # a device or pipe
        trouble = _folder_trouble(machine, setup, path.parent, f"let {key} name a file elsewhere", makes=False)
        if trouble and (key, trouble) not in told:
            told.add((key, trouble))
            yield problem(key, *trouble)
    for key in ("stills", "recordings", "ring"):
        named = setup.text(key)
        if named and (trouble := _folder_trouble(machine, setup, setup.place(machine, named), f"set {key} to another")):
            yield problem(key, *trouble)


def check_tokens(machine: Machine, setup: Setup) -> Iterator[Finding]:
    """Look at the token of the page and at those for others: who can read them."""
    for key in ("web_token_file", "mqtt_password_file", "webhook_token_file"):
        if named := setup.text(key):
            yield _secret(machine, setup, key, named)


def _secret(machine: Machine, setup: Setup, key: str, named: str) -> Finding:
    path, check = setup.place(machine, named), "password" if "password" in key else "token"
    status, trouble = _look(path, named, setup, check=check, key=key)
    if status is None:
        return trouble
    if status.st_mode & _OTHERS:
        return problem(check, f"everybody on this machine can read {named}", f"sudo chmod o= {named}")
    if not setup.account.may(path, os.R_OK):
        who = setup.account.name
        return problem(check, f"{who} may not read {named}", f"sudo chgrp {who} {named} && sudo chmod 640 {named}")
    return ok(check, f"{named}, and not everybody can read it")


def _look(
    path: Path, named: str, setup: Setup, check: str = "key", key: str = "key_file"
) -> tuple[os.stat_result | None, Finding]:
    """Return what a secret file is like, else None and why that is not known."""
    try:
        status = path.stat()
        if setup.hides(named):
            return None, problem(check, f"the service does not see {named}", "move it to /etc/pantel/keys")
        return status, ok(check, named)
    except PermissionError:
        return None, note(check, f"{named} may not be looked at by who asks", _SUDO)
    except OSError as error:
        return None, problem(
            check, f"{named} cannot be read: {error.strerror}", f"correct {key} in {setup.file or setup.name}"
        )


def _folder_trouble(
    machine: Machine, setup: Setup, folder: Path, else_advice: str, *, makes: bool = True
) -> tuple[str, str] | None:
    """Return why a daemon cannot write into a folder, and what to do; None if it can.

    Args:
        machine: On which the folder is.
        setup: Whose daemon it is.
        folder: As `Machine.path` names it.
        else_advice: What to do instead.
        makes: Whether the daemon makes it where it is missing.
    """
    name = machine.name(folder)
    if setup.service is not None:
        sandbox, unit = setup.service.sandbox, setup.service.unit
        if sandbox.makes(Path(name)) and not folder.exists():
            return None  # systemd will
        if sandbox.hides(Path(name)) or not sandbox.lets_write(Path(name)):
            allow = f"allow it by sudo systemctl edit {unit}: [Service] ReadWritePaths={name}"
            return f"{unit} is kept from writing to {name}", f"choose a place in {setup.service.state_dir}, or {allow}"
    return _closed(machine, setup, folder, else_advice, makes=makes)


def _closed(machine: Machine, setup: Setup, folder: Path, else_advice: str, *, makes: bool) -> tuple[str, str] | None:
    """Return the same of the file system alone."""
    name, who = machine.name(folder), setup.account.name
    nearest = folder
    while makes and not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.exists():
        return f"there is no folder {name}", f"make it, or {else_advice}"
    if not nearest.is_dir():
        return f"{machine.name(nearest)} is no folder", else_advice
    if os.statvfs(nearest).f_flag & os.ST_RDONLY:
        return (
            f"{name} lies on a file system that cannot be written to",
            "dmesg tells why; if errors of an SD card made it so, replace the card",
        )
    if not setup.account.may(nearest, os.W_OK | os.X_OK):
        return f"{who} may not write to {machine.name(nearest)}", f"sudo chown {who} {name}, or {else_advice}"
    return None


def _sender(setup: Setup) -> int:
    number = setup.value("sender")
    return number if isinstance(number, int) else 0


def _epoch(machine: Machine, setup: Setup, state_dir: Path) -> Finding:
    named = setup.text("key_file")
    key = None
    if named:
        try:
            key = read_key(setup.place(machine, named)).sender_key(_sender(setup), setup.text("callsign"))
        except (KeyFileError, CallsignError):
            return note("epoch", "not known before the key is right")
    path = epoch_file(state_dir, key)
    name = machine.name(path)
    try:
        epoch = read_epoch(path)
    except ValueError:
        if key is None:
            return note("epoch", f"{name} is damaged; a new row begins at the clock's minutes")
        return problem("epoch", f"{name} is damaged, so what this key has had is not known", "derive a new key")
    if epoch is not None:
        return ok("epoch", f"{epoch} ({name})")
    if key is None:
        return ok("epoch", "none yet; it begins with the first start")
    begin = f"pantel key begin {named} --state-dir {setup.config.state_dir}"
    if not setup.account.is_own:
        begin = f"sudo -u {setup.account.name} {begin}"
    return problem(
        "epoch",
        f"{name} is missing, so what this key has had is not known",
        f"if the key was never used: {begin}; else derive another",
    )
