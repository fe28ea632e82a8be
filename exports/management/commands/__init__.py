"""Management commands of the exports, one a file."""
