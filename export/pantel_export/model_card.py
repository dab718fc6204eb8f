"""Writes the model card of an artefact (Mitchell et al., "Model cards for model reporting", 2019)."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath
from typing import Any

from pantel_export.data import PhotoSet
from pantel_export.settings import TrainSettings

__all__ = ["model_card"]

_CARD = """# Model card: {name}

**What it is.** The transforms and tables of Pantel's scene codec: an int8 encoder (RGB and contours to latents of
16x16-pixel cells), the `faithful` generator (latents to RGB) and the integer entropy model between them.

**Licence.** Apache-2.0, like the rest of Pantel. The photographs below served for training only; none of them is
part of the model files.

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


def model_card(name: str, settings: TrainSettings, record: dict[str, Any], photos: PhotoSet) -> str:
    """Return the card as Markdown."""
    folders = Counter(str(PurePath(p).parts[0]) for p in photos.names)
    material = "\n".join(f"* `{folder}`: {count}" for folder, count in sorted(folders.items()))
    return _CARD.format(
        name=name,
        pictures=record["pictures"],
        fingerprint=record["pictures_sha256"],
        material=material,
        int8_encoder_snr_db=record["int8_encoder_snr_db"],
        **settings.model_dump(exclude={"network"}),
    )
