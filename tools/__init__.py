"""Makes and checks the files that are made from the code."""
