"""What there is to tell of the background: cells, mosaics of a camera that moves, and the light."""
