"""`pantel bench mos`: let people say which pictures are better, without telling them whose they are."""

from __future__ import annotations

import argparse
import json
import socket
import sys
from dataclasses import asdict
from pathlib import Path

from pantel_bench.mos.pairs import Ballot
from pantel_bench.mos.server import VotingServer
from pantel_bench.mos.votes import Standing, VoteFile, standings
from pantel_bench.pages.parts import grid, page
from pantel_bench.peers import PEER_FORMATS
from pantel_bench.pictures import SIZES, list_pictures, read_picture
from pantel_bench.still import StillRow, measure_codec, measure_peer
from pantel_device.atomic_file import check_outputs, write_atomically
from pantel_device.command import Command, UsageError
from pantel_device.commands.options import file_name
from pantel_device.progress import progress
from pantel_models import StillCodec, View, find_artefact, load_scene_codec

__all__ = ["MOS"]

_PEERS = {peer.name: peer for peer in PEER_FORMATS}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--votes", type=file_name, required=True, metavar="FILE", help="the votes, a line of JSON each")
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of photographs; without, only count votes")
    parser.add_argument("--bpp", type=float, default=0.05, metavar="X", help="rate [bit/pixel] (default: %(default)g)")
    parser.add_argument(
        "--codecs",
        type=lambda text: tuple(dict.fromkeys(text.split(","))),
        default="pantel-perceptual,pantel-faithful,avif",
        metavar="NAME,…",
        help=f"at least two of pantel-perceptual, pantel-faithful, {', '.join(_PEERS)} (default: %(default)s)",
    )
    parser.add_argument("--size", choices=tuple(SIZES), default="256", help="as for bench still (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8765, metavar="N", help="port (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the order (default: %(default)s)")
    parser.add_argument("--json", type=file_name, metavar="FILE", help="write what the votes come to as JSON")
    parser.add_argument("--report", type=file_name, metavar="FILE", help="write the same as a page")


def _run(arguments: argparse.Namespace) -> int:
    check_outputs((arguments.votes, arguments.json, arguments.report))
    if not arguments.images and not arguments.votes.exists():
        raise UsageError(f"there are no votes in {arguments.votes}; name photographs with --images to have some cast")
    votes = VoteFile(arguments.votes)
    if arguments.images:
        _check_address(arguments)
        _serve(arguments, _ballot(arguments), votes)
    found = standings(votes.votes)
    sys.stdout.write(_table(found))
    if arguments.json:
        content = {"benchmark": "mos", "votes": len(votes.votes), "standings": [asdict(each) for each in found]}
        write_atomically(arguments.json, (json.dumps(content, indent=1) + "\n").encode())
    if arguments.report:
        table = grid(_HEADINGS, _rows(found))
        write_atomically(arguments.report, page("What people preferred, at equal bytes", [table]))
    return 0


def _check_address(arguments: argparse.Namespace) -> None:
    """Try the address before the work that a wrong one would waste."""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
            probe.bind((arguments.host, arguments.port))
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"cannot listen at {arguments.host}:{arguments.port}: {error}; name another --host or --port"
        ) from error


def _ballot(arguments: argparse.Namespace) -> Ballot:
    """Encode all pictures by all codecs."""
    artefact = find_artefact()
    ours = {f"pantel-{view}": view for view in View if view in artefact.files}
    for name in arguments.codecs:
        if name not in ours and name not in _PEERS:
            raise UsageError(f"there is no codec {name!r}, only {', '.join([*ours, *_PEERS])}")
    if len(arguments.codecs) < 2:
        raise UsageError("one codec makes no pair; write for example --codecs pantel-perceptual,avif")
    if not 0 < arguments.bpp <= 24:
        raise UsageError(f"--bpp {arguments.bpp:g} is no rate; write for example --bpp 0.05")
    pictures = [read_picture(path, arguments.size) for path in list_pictures(arguments.images)]
    rows: list[StillRow] = []
    with progress(len(pictures) * len(arguments.codecs), "bench mos") as done:
        for picture in pictures:
            for name in arguments.codecs:
                if name in ours:
                    codec = StillCodec(load_scene_codec(artefact, view=ours[name]))
                    results = measure_codec(name, codec, picture, [arguments.bpp], None)
                else:
                    results = measure_peer(_PEERS[name], picture, [arguments.bpp], None)
                rows += [result for result in results if isinstance(result, StillRow)]
                done(f"{picture.name} {name}")
    sources = {picture.name: picture.pixels for picture in pictures}
    return Ballot(rows, sources, study=f"{artefact.name} {artefact.hash[:8]} {arguments.size}", seed=arguments.seed)


def _serve(arguments: argparse.Namespace, ballot: Ballot, votes: VoteFile) -> None:
    if not ballot.pairs:
        raise UsageError(f"at {arguments.bpp:g} bit/pixel no two of these codecs can encode a picture; raise --bpp")
    with VotingServer((arguments.host, arguments.port), ballot, votes) as server:
        host, port = server.server_address[:2]
        sys.stdout.write(f"{len(ballot.pairs)} pairs at http://{host!s}:{port}/ - stop with Ctrl-C\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.stdout.write("\n")


_HEADINGS = ("study", "bit/pixel", "codec", "against", "votes", "people", "preferred", "95 % interval")


def _rows(found: list[Standing]) -> list[tuple[str, ...]]:
    return [
        (
            each.study,
            f"{each.target_bpp:g}",
            each.codec,
            each.against,
            str(each.votes),
            str(each.people),
            f"{each.preferred:.0%}",
            f"{each.low:.0%} to {each.high:.0%}",
        )
        for each in found
    ]


def _table(found: list[Standing]) -> str:
    rows = [_HEADINGS, *_rows(found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


MOS = Command("mos", "people compare pictures blindly, at equal bytes", _add_arguments, _run)
