"""Measurements, each beside a plain reference in the same run. Run by `make bench`; never by the tests."""
