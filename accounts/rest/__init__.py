"""What every part of the API is made of: strict input, keyset pages, errors in one shape, a complete schema."""
