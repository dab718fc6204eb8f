"""Many masts into one receiver: what it costs, and whether anything is lost or late."""
