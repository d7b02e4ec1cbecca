"""How dates and times are written, for each language that differs from what Django brings."""
