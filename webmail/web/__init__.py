"""What all areas' views share: rendering, notices, who is asking, labels, errors, formatting, downloads."""
