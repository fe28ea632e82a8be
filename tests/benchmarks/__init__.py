"""What is measured, printed as medians and ratios."""
