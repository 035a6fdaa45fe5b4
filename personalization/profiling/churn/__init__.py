"""Members who are about to stay away: seen before it happens, with reasons."""
