"""Purchases to profiles and segments."""
