"""The HTTP API, its wiring, the workers and the command line."""
