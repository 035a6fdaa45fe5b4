"""Candidates from several sources, and the ranker that compares them."""
