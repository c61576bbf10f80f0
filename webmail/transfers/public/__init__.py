"""Public links: who comes, what they have shown, what they fetch; abuse that they report."""
