"""The subcommands of `pantel` that come with the device; `pantel_device.cli` finds them by entry points."""
