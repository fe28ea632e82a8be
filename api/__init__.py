"""The HTTP API: DRF viewsets over the exported files."""
