"""What administrators see of groups: page by page."""
