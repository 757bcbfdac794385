"""Register data from files: what a row is, who writes it, and the record of every run."""
