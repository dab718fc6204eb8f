"""The live benchmark: clips cross a slow line, and what was on show is scored against the source."""
