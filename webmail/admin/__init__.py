"""Administration: pages that administrators alone see, and what they do to accounts."""
