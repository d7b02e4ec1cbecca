"""The pages where anyone can be a customer, and where the weather is made. Plain forms; JavaScript only refreshes."""
