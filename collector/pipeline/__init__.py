"""The path of a scan: plan, collect, join, publish."""
