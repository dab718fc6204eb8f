"""Folders of captures replayed at once: tables in Parquet, and what they say of each sender and day."""
