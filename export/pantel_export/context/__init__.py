"""The context networks alone, trained on what encoders really write: after the transforms, which stay as they are."""
