"""Synthetic shops: a model fitted to the imported one, members and events at any scale, and proof of how true and how private they are."""
