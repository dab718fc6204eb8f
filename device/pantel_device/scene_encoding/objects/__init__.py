"""What there is to tell of moving objects: where they are and how they look."""
