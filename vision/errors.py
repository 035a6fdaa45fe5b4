"""The errors of this package; each message says what to do."""

from __future__ import annotations


class VisionError(Exception):
    """Base of every error that `vision` raises on purpose."""


class ModelError(VisionError):
    """A model file is missing, cannot be had, or is not the file that the manifest names."""


class EnrolmentError(VisionError):
    """The pictures do not make a good template; the message tells the person what to change."""


class CaptureError(VisionError):
    """A camera or a file cannot be opened."""


class AgentError(VisionError):
    """The agent's server refuses it, or cannot be reached at the start."""
