"""Drives: files that people keep elsewhere, as folders to choose from and to save to; what all of them can is in `drive.py`."""
