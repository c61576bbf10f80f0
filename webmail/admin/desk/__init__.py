"""The desk as those who answer see it: which cases they see, and what answering does beyond the words."""
