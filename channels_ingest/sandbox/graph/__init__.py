"""The Facebook Graph API for Pages: posts, comments, Messenger."""
