"""Simulated requests and simulated members: what rankers and slates are evaluated on where no public log can tell."""
