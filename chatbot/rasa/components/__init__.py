"""Rasa components of our own. They run inside Rasa's environment; `linear` and `sentences` need NumPy and SciPy alone, and run in both."""
