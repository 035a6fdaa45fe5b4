"""Sentence embeddings: texts of products and of queries as vectors, near where they mean the same."""
