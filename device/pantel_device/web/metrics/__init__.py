"""What Prometheus is told: figures of the receiver, its senders and its page, by stable names."""
