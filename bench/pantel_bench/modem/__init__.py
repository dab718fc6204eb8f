"""The same scene through real modem programs: what the sender wrote crosses them in real time, and is scored."""
