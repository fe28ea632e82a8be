"""Management commands of the site, one a file."""
