"""Backup, restore, and the rehearsal of an upgrade."""
