"""Detectors, one a file, each with its frozen configuration."""
