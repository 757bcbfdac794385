"""The one composition root: what a web process (`web`) and a core process (`core`) are made of.

Each is imported by itself: neither needs what the other is made of.
"""
