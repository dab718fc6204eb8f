"""What a receiver tells other programs over a network, and that it loses no alarm on the way."""
