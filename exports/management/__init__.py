"""Management commands of the exports."""
