"""PostgreSQL and Valkey from Python wheels, run under one data directory.

Nothing here imports Django, so that the parent of `make run` stays small.
"""
