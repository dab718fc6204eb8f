"""The observer: what moves, what it is, and where the picture deserves its bits."""

from pantel_device.observer.detector import Detector, open_detector
from pantel_device.observer.motion import Motion, MotionDetector
from pantel_device.observer.observer import Observer
from pantel_device.observer.roi import roi_mask

__all__ = [
    "Detector",
    "Motion",
    "MotionDetector",
    "Observer",
    "open_detector",
    "roi_mask",
]
