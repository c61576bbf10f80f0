"""The mail of the demo: believable, invented, the same for the same day, dated back from today."""
