"""What administration writes to people by the establishment's mail."""
