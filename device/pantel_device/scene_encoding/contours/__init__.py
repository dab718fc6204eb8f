"""What there is to tell of contours, of which a sketch is made."""
