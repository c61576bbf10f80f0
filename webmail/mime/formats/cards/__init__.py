"""vCards (RFC 6350, RFC 2426): parsed, shown, edited, with their pictures."""
