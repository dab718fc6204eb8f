"""The observer: what moves, what it is, and where the picture deserves its bits."""
