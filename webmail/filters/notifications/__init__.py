"""Mail about forwarding and automatic replies."""
