"""The network that mends composed pictures: its material, its training, and how it gets into an artefact."""
