"""A migration that is not applied yet, for the rehearsal of an upgrade."""
