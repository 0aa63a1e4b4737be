"""The errors of saved files."""

from __future__ import annotations


class SavedFileError(ValueError):
    """A saved file is damaged, of an unknown format, not safe to read, or does not fit the model."""
