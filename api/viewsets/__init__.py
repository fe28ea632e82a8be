"""The viewsets: one file a family of addresses."""
