"""The pieces the network modules are made of: pure functions over plain values, no network of its own in here."""
