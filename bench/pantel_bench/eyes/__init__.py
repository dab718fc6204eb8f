"""The eyes benchmark: a detector on labelled pictures, the observer on clips, the tracker among crossing objects."""
