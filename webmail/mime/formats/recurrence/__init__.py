"""What recurs (RFC 5545, 3.3.10 and 3.8.5): rules judged, expanded, changed; series."""
