"""The whole product, started as `make run` starts it, used through Chromium."""
