"""Loopback servers that speak the part of the X API v2 and of the Graph API that the product uses.

One process, one port: `/x` is X, `/graph` is Graph, `/` is the page where anyone can be a customer, `/control` is the
API for tests and for connecting a channel in one click. Nothing here knows Django.
"""
