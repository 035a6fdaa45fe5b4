"""What shoppers mean: limits, sizes, the second one, two of them; without a model, and without knowing what the shop sells."""
