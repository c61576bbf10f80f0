"""Mail about what is shared: to those who have it now, and to its owner."""
