"""Benchmarks: each module prints one JSON object per line (contract in docs/benchmarks/README.md)."""
