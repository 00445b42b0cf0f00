"""Exports of other help desks: reads their files, makes our records of theirs, and says what could not be taken."""
