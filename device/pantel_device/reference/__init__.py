"""The manual page and the tables of docs/configuration.md, from the parsers and models that they describe.

``python -m pantel_device.reference man`` writes the page, ``python -m pantel_device.reference configuration FILE``
brings the tables in a file up to date (``make reference``).
"""

from pantel_device.reference.manual import manual_page
from pantel_device.reference.tables import with_tables

__all__ = ["manual_page", "with_tables"]
