"""The live feed: fold and seal, the pictures of a web process, the wire to the screens."""
