"""The staff pages: every number on them comes from the published documents."""
