"""The receiver's core and what becomes of what it hands on."""
