"""The test rig: a sender and a receiver with measuring instruments, joined by a simulated line."""
