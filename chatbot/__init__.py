"""Emotion, affect and dialogue: what a shopper writes, and what is answered."""
