"""The X API v2, as far as a support desk uses it, in both dialects of its specification."""
