"""Figures computed from quotes and bars, one quantity a file."""
