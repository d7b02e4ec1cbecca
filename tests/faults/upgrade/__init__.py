"""Migrations of a version to come, for the drill of the rolling restart."""
