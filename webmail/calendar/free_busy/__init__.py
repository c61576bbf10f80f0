"""Free and busy times: when people of the establishment have time, side by side, and the first times that suit them all."""
