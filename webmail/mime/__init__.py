"""MIME: parses and builds messages: headers, structure, text, HTML (RFC 5322, 2045-2049, 3676); bytes become str here."""
