"""Pages of the second step: when signing in, before a change, and where factors are set up."""
