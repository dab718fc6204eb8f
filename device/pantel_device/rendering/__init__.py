"""Draws scenes, alike in the receiver and in what the sender believes of it."""
