"""Product pictures and posters."""
