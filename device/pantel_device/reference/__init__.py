"""The manual page, the tables of docs/configuration.md and docs/api.md, and the list of all that programs may rely on.

They follow from the parsers, models and modules that they describe. ``python -m pantel_device.reference man`` writes
the manual page, the other subcommands bring files up to date (``make reference``).
"""

from pantel_device.reference.manual import manual_page
from pantel_device.reference.public_names import PUBLIC_MODULES, public_signatures, with_public_names
from pantel_device.reference.tables import with_tables

__all__ = ["PUBLIC_MODULES", "manual_page", "public_signatures", "with_public_names", "with_tables"]
