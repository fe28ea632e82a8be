"""Management commands of the collecting side."""
