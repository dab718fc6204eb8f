"""The sender's core and what it says beside the scene."""
