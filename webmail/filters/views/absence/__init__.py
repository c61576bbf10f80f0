"""Pages of the absence, and the undo that forwarding shares with it."""
