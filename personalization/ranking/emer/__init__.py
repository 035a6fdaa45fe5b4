"""EMER, the ensemble ranker: a transformer that compares all candidates of a request (Kuaishou, arXiv 2508.05093)."""
