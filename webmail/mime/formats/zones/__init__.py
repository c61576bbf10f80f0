"""Time zones of calendar texts (RFC 5545, 3.6.5): what a TZID means, and when clocks change."""
