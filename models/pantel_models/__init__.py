"""The shipped networks and tables, their manifest, and the still codec that runs them."""

from pantel_models.artefact import MANIFEST, Artefact, find_artefact, find_detector, list_artefacts, list_detectors
from pantel_models.codec import SceneCodec, View, load_scene_codec
from pantel_models.contours import contour_map, contour_raster
from pantel_models.errors import BudgetError, ManifestError, ModelError, UnknownModelError
from pantel_models.macs import detector_macs, macs_per_pixel
from pantel_models.quantizer import Quantized, Quantizer
from pantel_models.regions import REGION_WEIGHT, region_importance
from pantel_models.scaling import enlarged, reduced
from pantel_models.sessions import AnalysisTransform, Enlarger, Generator, open_session
from pantel_models.still import DecodedStill, StillCodec, decode_still, load_still_codec

__all__ = [
    "MANIFEST",
    "REGION_WEIGHT",
    "AnalysisTransform",
    "Artefact",
    "BudgetError",
    "DecodedStill",
    "Enlarger",
    "Generator",
    "ManifestError",
    "ModelError",
    "Quantized",
    "Quantizer",
    "SceneCodec",
    "StillCodec",
    "UnknownModelError",
    "View",
    "contour_map",
    "contour_raster",
    "decode_still",
    "detector_macs",
    "enlarged",
    "find_artefact",
    "find_detector",
    "list_artefacts",
    "list_detectors",
    "load_scene_codec",
    "load_still_codec",
    "macs_per_pixel",
    "open_session",
    "reduced",
    "region_importance",
]
