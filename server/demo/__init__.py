"""The demo: a generated city, its register, and a January day that goes through the API."""
