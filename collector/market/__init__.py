"""Pure facts of the market: calendar, contracts, settlement."""
