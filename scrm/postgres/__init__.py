"""Django's PostgreSQL backend, which starts the embedded server when first connected to."""
