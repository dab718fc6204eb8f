"""The perceptual generator: other weights over the same bitstream, for looking at."""
