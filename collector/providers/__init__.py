"""Where quotes come from, one provider a file."""
