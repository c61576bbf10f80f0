"""Help: what people read about Traboule inside Traboule, and the cards of a first visit."""
