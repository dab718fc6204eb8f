"""Subcommands that the benchmarks add to `pantel`."""
