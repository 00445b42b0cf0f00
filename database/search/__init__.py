"""Full-text search: what a word is, and an index for each engine."""
