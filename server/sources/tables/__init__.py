"""Tables of register data: which columns they have, how cells are read, how a file is imported."""
