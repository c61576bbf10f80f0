"""Mail about appointments: to those who book, mostly people without an account, and to colleagues who are asked to be hosts."""
