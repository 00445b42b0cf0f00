"""The words, errors and small tools every folder may use. Nothing of ours is imported here."""
