"""One viewset a resource."""
