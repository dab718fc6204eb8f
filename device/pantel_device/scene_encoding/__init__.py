"""What to say next: fills payloads with what improves the receiver's picture most per bit."""
