"""Management commands of the collecting side, one a file."""
