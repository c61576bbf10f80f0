"""Zone of the doctor: what belongs in DNS, what resolvers answer, and what of it is not as it should be."""
