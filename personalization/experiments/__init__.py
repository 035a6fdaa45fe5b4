"""Experiments: who gets which arm, what came of it, and when that is enough to decide."""
