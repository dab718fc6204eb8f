"""Benchmarks, metrics, peers, reports and the demo."""
