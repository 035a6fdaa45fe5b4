"""Where Aisle keeps things: tables, repositories that fulfil the brain's protocols, import, erasure, encryption."""
