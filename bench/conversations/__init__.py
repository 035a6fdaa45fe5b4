"""Scripted conversations: what a shopper writes, what must come of it, and how often it does.

`script` reads them, `play` writes them to a running shop, `check` holds the answers against what was expected, `score` counts.
"""
