"""Rules that users write: the language of their conditions, what a rule is, and what it makes of figures.

No pandas, DuckDB or Django in here: the admin of the web process checks rules with it, the scan judges by it.
"""
