"""The model card of a detector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pantel_export.eyes.classes import CLASSES

__all__ = ["detector_card"]


def detector_card(name: str, record: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Args:
        name: Of the detector.
        record: Of its training.
    """
    settings, material = record["settings"], record["material"]
    seed, batch, side_px = (settings[key] for key in ("seed", "batch", "side_px"))
    sure, weight, decay = (settings[key] for key in ("sure_score", "box_weight", "weight_decay"))
    folders = {key: value for key, value in material.items() if isinstance(value, dict) and "pictures" in value}
    rows = "\n".join(f"| `{key}` | {value['pictures']} | {value['boxes']} |" for key, value in folders.items())
    teacher = record.get("teacher")
    taught = (
        f"""
The teacher `{teacher}` looked at each of these pictures, too: the detector learned its scores and boxes
(weight {settings["teacher_weight"]:g}) and the features that its heads look at
(Pearson correlation, weight {settings["feature_weight"]:g}).
"""
        if teacher
        else ""
    )
    parts = (f"`{prefix}…` from number {number}" for prefix, number in material["held_out"].items())
    held_out = ", ".join(parts) or "none"
    return f"""# {name}

Finds {", ".join(CLASSES)} in pictures; `vehicle` is a motorcycle, bus, lorry, train, boat or aeroplane. A YOLO-style
anchor-free network of dense convolutions in int8, at 320 pixels on the longer side; input and output are those of
YOLOv8 exports. Made by `python -m pantel_export train-detector` and `detector`; the last run had seed {seed},
{record["step"]} steps of {batch} pictures of {side_px}x{side_px} pixels. All settings stand in `record.json`, the
commands in docs/models.md.

## Data

| folder | pictures | boxes |
|---|---|---|
{rows}

Boxes of `coco`, `people` (streets) and `thermal` were drawn by people; all others, and what those leave out, were found
by YOLOX-nano (Apache-2.0) with a score of {sure:g} or more: what it found less surely counted neither as right nor as
wrong. {material["cut_outs"]} people were cut out by their masks and pasted into other pictures. Held out for testing:
{held_out}. The photographs' licences are those of their collections (COCO: Flickr terms, annotations CC BY 4.0;
BSDS500: research; HIT-UAV: CC BY 4.0; others state none); none of them is shipped.

## Losses

Binary cross-entropy of the scores, whose targets follow the overlap (task alignment learning), and complete IoU of the
boxes, weighted {weight:g}; AdamW with weight decay {decay:g}; the shipped weights are averages over the last steps.
{taught}
## Results

`pantel bench eyes` measures it; the figures stand in docs/benchmarks.md.

## Limits

It is small: people below about 12 pixels of height, in crowds, at night and from straight above are often missed, and a
sure box may be wrong. It was trained on few pictures of animals and of lorries. It recognizes nobody. Do not build on
it where a miss does harm.

## Licence

Apache-2.0, as the project.
"""
