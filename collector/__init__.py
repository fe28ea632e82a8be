"""The collecting side: plan, collect, join, publish."""
