"""Copying a whole store: staging copies, restore and backup files."""
