"""Import of a retailer's own files and of the demo data, through one validation and one writer."""
