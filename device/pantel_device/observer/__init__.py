"""The observer: what moves, what it is, and where the picture deserves its bits."""

from pantel_device.observer.contour_finder import ContourFinder, open_contour_finder
from pantel_device.observer.detector import Detector, DetectorFactory, NamingDetector, open_detector
from pantel_device.observer.motion import Motion, MotionDetector
from pantel_device.observer.observer import Observer
from pantel_device.observer.pace import DetectorPace
from pantel_device.observer.regions import RegionRules
from pantel_device.observer.roi import region_contours, roi_mask
from pantel_device.observer.tracker import SURE_SCORE, WEAK_SCORE
from pantel_device.observer.zones import PrivacyMask, Zone, ZoneKind

__all__ = [
    "SURE_SCORE",
    "WEAK_SCORE",
    "ContourFinder",
    "Detector",
    "DetectorFactory",
    "DetectorPace",
    "Motion",
    "MotionDetector",
    "NamingDetector",
    "Observer",
    "PrivacyMask",
    "RegionRules",
    "Zone",
    "ZoneKind",
    "open_contour_finder",
    "open_detector",
    "region_contours",
    "roi_mask",
]
