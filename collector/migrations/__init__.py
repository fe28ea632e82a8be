"""Migrations of the collecting side's rows in Django's database."""
