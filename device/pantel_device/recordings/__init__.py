"""Recordings: what a receiver shows and what a camera sees, as video files that browsers play.

``CALLSIGN-NUMBER-YYYYmmddTHHMMSSZ.mp4``, one for each sender and part of the time, see `names`. Whoever loses power
loses the last half minute at most, and never a file.
"""

from pantel_device.recordings.names import Recording, recordings_in
from pantel_device.recordings.recorder import Recorder
from pantel_device.recordings.ring import Ring

__all__ = ["Recorder", "Recording", "Ring", "recordings_in"]
