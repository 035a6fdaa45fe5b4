"""Faces in front of a kiosk: detection, recognition of consenting members, expression."""
