"""What went wrong with which file, and what would be right: one line for people."""
from __future__ import annotations


class ModelError(Exception):
    """A checkpoint, recipe or data file that cannot be used as it is."""
