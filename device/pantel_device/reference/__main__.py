"""``python -m pantel_device.reference``: for the Makefile and for packages."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from pantel_device.reference import manual_page, public_signatures, with_public_names, with_tables


def main() -> int:
    """Write the manual page to standard output, or bring a file up to date."""
    parser = argparse.ArgumentParser(prog="python -m pantel_device.reference")
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("man", help="write pantel(1) to standard output; SOURCE_DATE_EPOCH dates it")
    configuration = what.add_parser("configuration", help="bring the tables of keys up to date")
    configuration.add_argument("file", type=Path, metavar="FILE", help="docs/configuration.md")
    api = what.add_parser("api", help="bring the tables of public names and the list of signatures up to date")
    api.add_argument("page", type=Path, metavar="PAGE", help="docs/api.md")
    api.add_argument("signatures", type=Path, metavar="FILE", help="docs/api-signatures.txt")
    arguments = parser.parse_args()
    if arguments.what == "man":
        now_s = os.environ.get("SOURCE_DATE_EPOCH")
        date = datetime.now(UTC) if now_s is None else datetime.fromtimestamp(int(now_s), UTC)
        sys.stdout.write(manual_page(f"{date:%Y-%m-%d}"))
    elif arguments.what == "api":
        arguments.page.write_text(with_public_names(arguments.page.read_text(encoding="utf-8")), encoding="utf-8")
        arguments.signatures.write_text(public_signatures(), encoding="utf-8")
    else:
        arguments.file.write_text(with_tables(arguments.file.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
