"""Data from files: cities from OpenStreetMap, tickets from CSV."""
