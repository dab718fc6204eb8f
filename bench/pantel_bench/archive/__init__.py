"""Replays of whole archives: the same tables whoever does the work, and what each way costs."""
