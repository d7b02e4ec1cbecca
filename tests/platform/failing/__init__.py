"""A migration that cannot be applied."""
