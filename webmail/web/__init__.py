"""Web helpers: what the views of all areas share: rendering, notices, current user, labels, errors, formatting, downloads."""
