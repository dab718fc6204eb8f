"""The still benchmark in parts that any process can do: a picture by a codec, at all rates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pantel_bench.metrics import Lpips
from pantel_bench.peers import PEER_FORMATS
from pantel_bench.pictures import SourcePicture
from pantel_bench.still import StillRow, Unreached, measure_codec, measure_peer
from pantel_device.cluster import Failure, Workers
from pantel_models import MANIFEST, Artefact, StillCodec, View, find_artefact, load_scene_codec

__all__ = ["StillTask", "codec_names", "measure_task", "measure_tasks"]

_PEERS = {peer.name: peer for peer in PEER_FORMATS}


@dataclass(frozen=True, slots=True, eq=False)
class StillTask:
    """One picture by one codec.

    Attributes:
        number: Of the task: where its rows stand.
        picture: The source.
        codec: Name of a view of ours, or of a peer.
        rates_bpp: Rates asked for [bit/pixel].
        lpips: File of the weights of LPIPS; None for none.
        artefacts: Folder of our models.
    """

    number: int
    picture: SourcePicture
    codec: str
    rates_bpp: tuple[float, ...]
    lpips: Path | None
    artefacts: Path


def codec_names(artefact: Artefact, *, peers: bool) -> list[str]:
    """Return the names of the codecs that are measured: ours, and the peers'."""
    ours = [f"pantel-{view}" for view in View if view in artefact.files]
    return [*ours, *(_PEERS if peers else ())]


def measure_task(task: StillTask) -> list[StillRow | Unreached]:
    """Measure a picture by a codec.

    Raises:
        BenchError: The codec breaks its promise, a peer cannot be written here, or the weights are not what they
            should be.
        ModelError: The models cannot be used.
    """
    lpips = _lpips(task.lpips) if task.lpips else None
    if task.codec in _PEERS:
        return list(measure_peer(_PEERS[task.codec], task.picture, task.rates_bpp, lpips))
    codec = _codec(task.codec, task.artefacts)
    return list(measure_codec(task.codec, codec, task.picture, task.rates_bpp, lpips))


def measure_tasks(
    tasks: Sequence[StillTask], workers: Workers, done: Callable[[str], None]
) -> Iterator[StillRow | Unreached]:
    """Yield the rows of all tasks in the order of the tasks, whoever does them.

    Raises:
        BenchError: As `measure_task`.
        ModelError: As `measure_task`.
        CommandError: The workers are gone.
    """
    rows: dict[int, list[StillRow | Unreached]] = {}
    for task, result in workers.map(measure_task, tasks):
        if isinstance(result, Failure):
            raise result.__cause__ or result
        rows[task.number] = result
        done(f"{task.picture.name} {task.codec}")
    for number in sorted(rows):
        yield from rows[number]


@cache
def _codec(name: str, artefacts: Path) -> StillCodec:
    artefact = find_artefact(manifest=artefacts / MANIFEST.name)
    return StillCodec(load_scene_codec(artefact, view=View(name.removeprefix("pantel-"))))


@cache
def _lpips(path: Path) -> Lpips:
    return Lpips.from_file(path)
