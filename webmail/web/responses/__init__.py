"""Answers that are no ordinary page: errors, files, compression, too many, from another host."""
