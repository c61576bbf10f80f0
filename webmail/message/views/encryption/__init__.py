"""Views of signed and encrypted messages: what their page shows, the frames of opened parts, and the keys that came with them."""
