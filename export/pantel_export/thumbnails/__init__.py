"""Thumbnails of moving objects: cutting objects out, training networks, joining an artefact."""
