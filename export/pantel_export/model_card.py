"""Writes the model card of an artefact (Mitchell et al., "Model cards for model reporting", 2019)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from pantel_export.data import PhotoSet
from pantel_export.settings import TrainSettings

__all__ = ["model_card", "with_thumbnails"]

_CARD = """# Model card: {name}

**What it is.** The transforms and tables of Pantel's scene codec: an int8 encoder (RGB and contours to latents of
16x16-pixel cells), the `faithful` generator (latents to RGB) and the integer entropy model between them; and the tables
of thumbnails, for objects that move.

**Licence.** Apache-2.0, like the rest of Pantel. The photographs below served for training and fitting only; none of
them is part of the model files.

**Training material.** {pictures} photographs (SHA-256 of the list: `{fingerprint}`):

{material}

No picture of the Kodak set, of the test scene or of the demo was trained on.

**Loss.** Mean squared error + {contour_weight} x squared error on the contours that the encoder was given
+ {ms_ssim_weight} x (1 - MS-SSIM), against the rate of the context model; lambda from {rate_weight_low} to
{rate_weight_high} over the qualities 0 to 31. Parts of the latents and of the payload were withheld at random, so that
missing cells and partial payloads are familiar.

**Settings.** {steps} steps of {batch} crops of {crop_px} px, seed {seed}; all of them in `record.json`, with
the losses at the end. The int8 encoder's latents have {int8_encoder_snr_db} dB of signal to noise against the
float one's.

**Results.** `pantel bench still --images DIR --bpp 0.1,0.05,0.03,0.01 --peers` measures them; `docs/benchmarks.md`
has the figures for Kodak 01-12.

**Limits.** Made for natural daylight scenes; lettering and faces below about 40 pixels are not legible at these
rates. A generator invents texture for cells that were never received: do not use the picture as evidence.
"""

_THUMBNAILS_HEADING = "## Thumbnails\n"
_THUMBNAILS = """
**What they are.** The usual object, how far objects differ from it in each transform coefficient, and Laplacian coding
tables for that; for tall, square and wide objects.

**Material.** {objects} people, vehicles and animals, each with its mirror image. The boxes around them came with the
photographs; GrabCut (Rother et al., SIGGRAPH 2004) found which pixels in a box are the object, and boxes of which it
found less than 30 or more than 95 % were left out:

{material}

No clip of the benchmarks, no picture of the test scene or of the demo is among them.

**How.** Means and mean deviations of the coefficients of the object's colours and mask; where objects are few, drawn
towards the deviations of neighbouring coefficients. `python -m pantel_export thumbnails` does it again.

**Limits.** Mostly people, upright and in daylight; other things cost more bits. A thumbnail tells an outline and a few
colours, never a face. Where something hid an object, it is shown as the usual one: do not use it as evidence.
"""


def model_card(name: str, settings: TrainSettings, record: dict[str, Any], photos: PhotoSet) -> str:
    """Return the card as Markdown."""
    folders = Counter(str(PurePath(p).parts[0]) for p in photos.names)
    material = "\n".join(f"* `{folder}`: {count}" for folder, count in sorted(folders.items()))
    card = _CARD.format(
        name=name,
        pictures=record["pictures"],
        fingerprint=record["pictures_sha256"],
        material=material,
        int8_encoder_snr_db=record["int8_encoder_snr_db"],
        **settings.model_dump(exclude={"network"}),
    )
    return with_thumbnails(card, record.get("thumbnails", []))


def with_thumbnails(card: str, material: Sequence[Mapping[str, Any]]) -> str:
    """Return a card with the section about thumbnails in place of the one it has; without one if there are none.

    Args:
        card: The card.
        material: For each set its folders, `photos` and `boxes`, and the number of its `objects`.
    """
    base = card.partition(_THUMBNAILS_HEADING)[0].rstrip() + "\n"
    if not material:
        return base
    sets = "\n".join(
        f"* `{each['photos']}` with the boxes of `{each['boxes']}`: {each['objects']}" for each in material
    )
    count = sum(each["objects"] for each in material)
    return f"{base}\n{_THUMBNAILS_HEADING}{_THUMBNAILS.format(objects=count, material=sets)}"
