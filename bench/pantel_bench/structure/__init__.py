"""The structure layer: what contours bring for their bits, in pictures and as a sketch."""
