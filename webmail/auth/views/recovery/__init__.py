"""Pages of getting back in, and of the deputies who help."""
