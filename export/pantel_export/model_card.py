"""Writes the model card of an artefact (Mitchell et al., "Model cards for model reporting", 2019)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from pantel_export.data import PhotoSet
from pantel_export.settings import TrainSettings

__all__ = [
    "model_card",
    "with_context",
    "with_enlarger",
    "with_perceptual",
    "with_perceptual_enlarger",
    "with_refinement",
    "with_thumbnails",
]

_CARD = """# Model card: {name}

**What it is.** The transforms and tables of Pantel's scene codec: an int8 encoder (RGB and contours to latents of
16x16-pixel cells), the `faithful` generator (latents to RGB) and the integer entropy model between them; and the same
for thumbnails, of objects that move.

**Licence.** Apache-2.0, like the rest of Pantel. The photographs below served for training and fitting only; none of
them is part of the model files.

**Training material.** {pictures} photographs (SHA-256 of the list: `{fingerprint}`):

{material}

No picture of the Kodak set, of the test scene or of the demo was trained on.

**Loss.** Mean squared error + {contour_weight} x squared error on the contours that the encoder was given
+ {ms_ssim_weight} x (1 - MS-SSIM), against the rate of the context model; lambda from {rate_weight_low} to
{rate_weight_high} over the qualities 0 to 31. Parts of the latents and of the payload were withheld at random, so that
missing cells and partial payloads are familiar.{enlarging}

**Settings.** {steps} steps of {batch} crops of {crop_px} px, seed {seed}; all of them in `record.json`, with
the losses at the end. {start}
The int8 encoder's latents have {int8_encoder_snr_db} dB of signal to noise against the float one's.

**Results.** `pantel bench still --images DIR --bpp 0.1,0.05,0.03,0.01 --peers` measures them; `docs/benchmarks.md`
has the figures for Kodak 01-12.

**Limits.** Made for natural daylight scenes; lettering and faces below about 40 pixels are not legible at these
rates. A generator invents texture for cells that were never received: do not use the picture as evidence.
"""

_ENLARGING = """
Of {crops} crops of each batch half the resolution was coded; what counted was what `enlarger.onnx` makes of that.
"""

_THUMBNAILS_HEADING = "## Thumbnails\n"
_THUMBNAILS = """
**What they are.** An encoder and a generator for objects that move: colours and a soft mask on a raster of 64x64, in
{latents} latents of which {core} are the core; and coding tables for tall, square and wide objects.

**Material.** {objects} people, vehicles and animals (SHA-256 of all: `{fingerprint}`), cut out of:

{material}

Boxes came with the photographs or were found by YOLOX-nano; GrabCut (Rother et al., SIGGRAPH 2004) found which pixels
in a box are the object's own. No clip of the benchmarks, no picture of the test scene or of the demo is among them.

**Loss.** Mean squared error of the object in front of a random colour, against the rate under a Laplacian for each
latent; lambda from {rate_weight_low} to {rate_weight_high} over the qualities 0 to 7. Half of the time
detail was withheld; masks had holes, parts were hidden, shadows were attached.

**Settings.** {steps} steps of {batch} objects, seed {seed}; all of them in `record.json`, with the losses at the end.

**Results.** `pantel bench looks` measures them on clips; `docs/decisions/0009-sprites-as-thumbnails.md` has the
figures.

**Limits.** People, vehicles and animals in daylight; other things cost more bits. A thumbnail tells an outline and a
few colours, never a face. Where something hid an object, the generator completes it; at few bits it shows the usual
object of that kind: do not use it as evidence.
"""

_REFINEMENT_HEADING = "## Refinement context\n"
_REFINEMENT = """
**What it is.** Networks and coding tables that say what is probable of cells of which the receiver holds a coarser
version; they serve live backgrounds, not stills. Transforms and quantizers are those above.

**Loss.** The rate, weighted by the square root of lambda; one version to the next, {smallest_gap} to {largest_gap}
apart on a scale of qualities from 0 to 1. Half of the versions that were refined had been refined before.

**Settings.** {pictures} of the photographs above; {step} steps of {batch} crops of {crop_px} px, seed {seed}.
"""

_CONTEXT_HEADING = "## Context networks\n"
_CONTEXT = """
**What they are.** The integer networks that predict each latent from those coded before it are not those that were
trained with the transforms: they were trained once more, with everything else frozen. Slices of {slices} channels,
width {width}, reach {reach} cells.

**Loss.** As above, with {ms_ssim_weight} x (1 - MS-SSIM), but against the rate of the whole numbers that encoders write
instead of noise. Of {enlarged_crops} of the {batch} crops of each batch half the resolution was coded; what counted was
what the enlarger makes of that.

**Settings.** {pictures} of the photographs above; {step} steps of {batch} crops of {crop_px} px, seed {seed}. {start}
"""

_PERCEPTUAL_HEADING = "## Perceptual generator\n"
_PERCEPTUAL = """
**What it is.** `perceptual.onnx`: other weights for the generator, over the same bitstream, for looking at. They began
as those of `faithful.onnx`; encoder and entropy model were frozen.

**Loss.** {l1_weight} x mean absolute error + {lpips_weight} x LPIPS (SqueezeNet, pictures shifted at random)
+ {contour_weight} x squared error on contours + {ms_ssim_weight} x (1 - MS-SSIM) + {adversarial_weight} x hinge loss
against a patch discriminator that is told the latents + {pattern_weight} x the power of what the errors of
neighbouring cells have in common.

**Settings.** {pictures} of the photographs above; {step} steps of {batch} crops of {crop_px} px, seed {seed}. Missing
cells of {enlarged_crops} crops of each batch showed what was received at half the resolution.

**Limits.** It invents texture that fits; PSNR is lower than that of `faithful.onnx`. LPIPS was part of the loss, so
judge it by other measures, too.
"""

_ENLARGER_HEADING = "## Enlarger\n"
_ENLARGER = """
**What it is.** `enlarger.onnx`: what makes of a picture that was coded at half the width and height one of the full.
It was trained on what the encoder, the entropy model and `faithful.onnx` above make of reduced photographs, at all
qualities; these were frozen.

**Loss.** Mean squared error + {ms_ssim_weight} x (1 - MS-SSIM), weighted as above.

**Settings.** {pictures} of the photographs above; {step} steps of {batch} crops of {wide_px} px, seed {seed}.

**Limits.** It sharpens contours and mends what coding does to them; what was not coded stays missing. It prints a faint
pattern of two pixels (grid ratio 1.4 in the faithful view). A clean picture is enlarged better by interpolation.
"""

_PERCEPTUAL_ENLARGER_HEADING = "## Perceptual enlarger\n"
_PERCEPTUAL_ENLARGER = """
**What it is.** `perceptual_enlarger.onnx`: other weights for the enlarger, for looking at. They began as those of
`enlarger.onnx`; it enlarges what `perceptual.onnx` paints of reduced photographs, at all qualities; that was frozen.

**Loss.** {l1_weight} x mean absolute error + {lpips_weight} x LPIPS (SqueezeNet, pictures shifted at random)
+ {contour_weight} x squared error on contours + {ms_ssim_weight} x (1 - MS-SSIM) + {adversarial_weight} x hinge loss
against a patch discriminator that is shown the smaller picture + {pattern_weight} x the power of what the errors of
neighbouring squares of 8 pixels have in common.

**Settings.** {pictures} of the photographs above; {step} steps of {batch} crops of {crop_px} px, seed {seed}.

**Limits.** As of the perceptual generator: texture that fits is invented.
"""

_PERCEPTUAL_THUMBNAILS_HEADING = "## Perceptual generator of thumbnails\n"
_PERCEPTUAL_THUMBNAILS = """
**What it is.** `thumbnail_perceptual.onnx`: a wider generator of thumbnails ({width} channels) over the same bitstream,
for looking at. It began as {begun}; the encoder was frozen.

**Loss.** {l1_weight} x mean absolute error of the object before something + {mask_weight} x mean absolute error of its
mask + {hue_weight} x mean absolute error of the colours less their mean + {lpips_weight} x LPIPS (SqueezeNet) +
{adversarial_weight} x hinge loss against a discriminator that is told the latents; and of objects as small as they are
shown, on photographs: {display_weight} x LPIPS + {detector_weight} x what {detectors} no longer recognizes.

**Settings.** {objects} objects (SHA-256 of pixels, masks and kinds `{fingerprint}`), before {pictures} photographs;
{step} steps of {batch}, seed {seed}; latents fitted to the picture by up to {search_steps} steps, as senders do.

**Limits.** It invents limbs, clothes and windows that fit the latents: what it shows of an object is likely, not
seen. The detectors above are no judges of it.
"""


def model_card(name: str, settings: TrainSettings, record: dict[str, Any], photos: PhotoSet) -> str:
    """Return the card as Markdown."""
    folders = Counter(str(PurePath(p).parts[0]) for p in photos.names)
    material = "\n".join(f"* `{folder}`: {count}" for folder, count in sorted(folders.items()))
    enlarging = _ENLARGING.format(crops=settings.enlarged_crops).rstrip() if settings.enlarged_crops else ""
    card = _CARD.format(
        enlarging=enlarging,
        name=name,
        start=_start(record),
        pictures=record["pictures"],
        fingerprint=record["pictures_sha256"],
        material=material,
        int8_encoder_snr_db=record["int8_encoder_snr_db"],
        **settings.model_dump(exclude={"network"}),
    )
    card = with_thumbnails(card, record.get("thumbnails"))
    return with_perceptual_thumbnails(card, record.get("perceptual_thumbnails"))


def _start(record: Mapping[str, Any]) -> str:
    warm_start = record.get("warm_start_sha256")
    return f"Begun with the weights `{warm_start}`." if warm_start else "Begun as a lapped transform."


def with_thumbnails(card: str, record: Mapping[str, Any] | None) -> str:
    """Return a card with the section about thumbnails in place of the one it has; without one if there are none.

    Args:
        card: The card.
        record: Of the thumbnails' training.
    """
    if not record:
        return _with_section(card, _THUMBNAILS_HEADING, "")
    settings = record["settings"]
    text = _THUMBNAILS.format(
        objects=record["objects"],
        fingerprint=record["objects_sha256"],
        material="\n".join(f"* `{each['folder']}`: {each['objects']}" for each in record["sources"]),
        **{key: settings[key] for key in ("rate_weight_low", "rate_weight_high", "steps", "batch", "seed")},
        **{key: settings["network"][key] for key in ("latents", "core")},
    )
    return _with_section(card, _THUMBNAILS_HEADING, text)


def with_refinement(card: str, record: Mapping[str, Any] | None) -> str:
    """Return a card with the section about the refinement context; as `with_thumbnails`."""
    if not record:
        return _with_section(card, _REFINEMENT_HEADING, "")
    text = _REFINEMENT.format(pictures=record["pictures"], step=record["step"], **record["settings"])
    return _with_section(card, _REFINEMENT_HEADING, text)


def with_context(card: str, record: Mapping[str, Any] | None) -> str:
    """Return a card with the section about context networks that were trained alone; as `with_thumbnails`."""
    if not record:
        return _with_section(card, _CONTEXT_HEADING, "")
    network = record["settings"]["network"]
    context = {key: ", ".join(map(str, network[f"context_{key}"])) for key in ("slices", "width", "reach")}
    text = _CONTEXT.format(
        pictures=record["pictures"], step=record["step"], start=_start(record), **context, **record["settings"]
    )
    return _with_section(card, _CONTEXT_HEADING, text)


def with_enlarger(card: str, record: Mapping[str, Any] | None) -> str:
    """Return a card with the section about an enlarger that was trained alone; as `with_thumbnails`."""
    if not record:
        return _with_section(card, _ENLARGER_HEADING, "")
    settings = record["settings"]
    wide_px = 2 * settings["crop_px"]
    text = _ENLARGER.format(pictures=record["pictures"], step=record["step"], wide_px=wide_px, **settings)
    return _with_section(card, _ENLARGER_HEADING, text)


def with_perceptual(card: str, record: Mapping[str, Any] | None) -> str:
    """Return a card with the section about the perceptual generator; as `with_thumbnails`."""
    if not record:
        return _with_section(card, _PERCEPTUAL_HEADING, "")
    text = _PERCEPTUAL.format(pictures=record["pictures"], step=record["step"], **record["settings"])
    return _with_section(card, _PERCEPTUAL_HEADING, text)


def with_perceptual_enlarger(card: str, record: Mapping[str, Any] | None) -> str:
    """Return a card with the section about the perceptual enlarger; as `with_thumbnails`."""
    if not record:
        return _with_section(card, _PERCEPTUAL_ENLARGER_HEADING, "")
    text = _PERCEPTUAL_ENLARGER.format(pictures=record["pictures"], step=record["step"], **record["settings"])
    return _with_section(card, _PERCEPTUAL_ENLARGER_HEADING, text)


def with_perceptual_thumbnails(card: str, record: Mapping[str, Any] | None) -> str:
    """Return a card with the section about the perceptual generator of thumbnails; as `with_thumbnails`."""
    if not record:
        return _with_section(card, _PERCEPTUAL_THUMBNAILS_HEADING, "")
    settings, begun = record["settings"], record.get("begun_as_sha256")
    text = _PERCEPTUAL_THUMBNAILS.format(
        begun=f"the generator before it (`{begun}`)" if begun else "`thumbnail_generator.onnx`",
        objects=record["objects"],
        fingerprint=record["objects_sha256"],
        step=record["step"],
        pictures=record["pictures"],
        detectors=" and ".join(record["detectors"]),
        width=", ".join(map(str, settings["generator_width"])),
        **settings,
    )
    return _with_section(card, _PERCEPTUAL_THUMBNAILS_HEADING, text)


def _with_section(card: str, heading: str, text: str) -> str:
    """Return a card whose section of that heading has another text, at its end; none if the text is empty."""
    before, _, rest = card.partition(heading)
    after = rest[rest.find("\n## ") + 1 :] if "\n## " in rest else ""
    kept = before.rstrip() + "\n" + (f"\n{after.rstrip()}\n" if after else "")
    return f"{kept}\n{heading}{text}" if text else kept
