"""Privacy: erase customers, apply retention periods."""
