"""The codes that say why a value is null, a ticker failed, or a grade is low: the one list.

Codes are grouped by where they stand; each has one sentence that a page can show.
"""

from __future__ import annotations

TICKER_REASONS: dict[str, str] = {
    "no_options": "The provider lists no options for this ticker.",
    "not_found": "The provider does not know this ticker.",
    "not_recorded": "The recording lists it but does not hold it.",
    "bars_only": "The recording holds price bars of this ticker, and no options.",
    "not_usd": "Quoted in another currency than US dollars.",
    "rate_limited": "The provider answered that too many requests were made.",
    "unauthorised": "The provider refused the request's credentials.",
    "unreachable": "No connection to the provider could be made.",
    "timed_out": "The provider did not answer in time.",
    "bad_answer": "The provider's answer could not be read.",
    "empty_answer": "The provider answered without contracts that can be used.",
    "all_expired": "Every contract had settled when it was quoted.",
    "budget": "The calls that are left for this slot did not reach; served first next time.",
    "deadline": "The scan's deadline came first; served first next time.",
    "interrupted": "The scan was interrupted before this ticker.",
    "no_quotes_yet": "The provider serves no quotes yet.",
    "closed": "The market is closed at this slot.",
    "not_this_close": "Today's session closes at another time.",
    "slot_taken": "Another process runs this slot.",
}

QUALITY_REASONS: dict[str, str] = {
    "no_contracts": "The chain holds no contract outside quarantine.",
    "too_few_contracts": "Too few contracts to grade.",
    "no_two_sided_quotes": "No contract near the money has a bid and an ask.",
    "few_two_sided_quotes": "Too few contracts near the money have a bid and an ask.",
    "wide_spreads": "Spreads are wide.",
    "many_breaches": "Too many quotes break no-arbitrage bounds across the spreads.",
    "sides_disagree": "Calls and puts of too many strikes do not agree on a volatility.",
    "stale_quotes": "Quotes are old against the session.",
    "outside_session": "Quotes stand outside a session; nothing shows whether they are live.",
    "open_interest_unknown": "No contract states open interest above 0.",
    "no_reference_price": "Neither a forward by parity nor a spot is there.",
}

FIELD_REASONS: dict[str, str] = {
    "not_stated": "The feed does not state it.",
    "negative_price": "The feed states a price below 0.",
    "impossible_price": "The feed states a price that no contract can have.",
    "no_two_sided_quote": "The contract has no two-sided quote.",
    "not_computed": "This figure is not computed yet.",
    "below_bound": "The price is below what the contract is worth without any volatility.",
    "above_bound": "The price is above what the contract can be worth at any volatility.",
    "iv_undetermined": "The price hardly depends on volatility here: no figure could be trusted.",
    "exercise_region": "The contract is worth its exercise now: its price says nothing of volatility.",
    "no_forward": "No forward could be found for this expiration.",
    "not_converged": "The search for a volatility did not come to an end.",
    "quote_out_of_line": "The quote contradicts the other side of its strike and its neighbours.",
    "volume_unknown": "The volume of this session is not known.",
    "open_interest_unknown": "The feed states no open interest above 0.",
    "zero_denominator": "The ratio's denominator is 0.",
    "short_history": "Too few sessions of history.",
    "no_history": "No session of history.",
    "inconsistent_bars": "A high is below, or a low above, another price of its session.",
    "flat_history": "The window's highest and lowest are equal.",
    "extrapolation": "The quotes do not reach so far: nothing is extrapolated.",
    "too_few_quotes": "Too few quotes for a fit.",
    "no_expiration_after": "Fewer than two expirations with a volatility follow the release.",
    "no_event_variance": "The expiration after it holds no more variance than ordinary days would.",
    "no_wall": "The contracts of that side hold no gamma: none is open, or none has a volatility.",
    "no_crossing": "Gamma exposure does not change sign within 25 % of the spot.",
    "no_bid_quote": "The contract has no bid above 0.",
    "no_ask_quote": "The contract has no ask above 0, or one below its bid.",
    "variance_falls": "Total variance does not rise from the expiration before.",
    "no_implied_volatility": "The contract has no implied volatility to compute it from.",
    "quarantined": "Adjusted contracts deliver something else: not computed.",
    "no_spot": "The feed states no spot.",
    "no_usable_chain": "No chain of the ticker is usable.",
    "no_event": "No such event is known.",
    "unlimited": "It has no bound.",
    "first_scan": "No earlier scan to compare with.",
}

DETECTOR_REASONS: dict[str, str] = {
    "below_threshold": "The highest value is below the level that arms.",
    "low_volume": "No contract traded enough for its ratios to say anything.",
    "low_premium": "The contract of the highest value traded too few dollars.",
    "wide_spread": "The contract of the highest value has too wide a spread.",
    "thin_trading": "Too few contracts of the ticker traded for a ratio to say anything.",
    "one_contract": "One contract makes most of the heavy side's volume: one trade, and no lopsided ticker.",
    "below_day_one_level": "Too few sessions of history: a fixed level stands in, and the value is below it.",
    "small_move": "The move is many times the expected one, and small all the same.",
    "release_not_priced": "Earnings came out, and what the options expected of them is not known.",
    "not_crossed": "The level was not crossed: the sessions before stood on this side of it already.",
    "no_clear_side": "No session before stood clear of the level, on either side.",
    "not_extreme": "The value does not stand out of its own history far enough.",
    "small_distance": "It stands out of its history, but too little to matter.",
    "above_realised": "Implied volatility is above realised volatility.",
    "low_premium_ratio": "Implied volatility is too little above realised volatility.",
    "within_past_moves": "The options expect no more of the release than past releases brought.",
    "release_far": "No release lies near enough.",
    "in_line": "The forward volatility between the expirations is in line with the curve.",
    "within_spreads": "The difference is no larger than what the quotes leave open.",
    "sides_differ": "Implied and realised volatility did not leave their bands on the same side.",
    "few_releases": "Too few past releases whose move is known.",
    "few_expirations": "Too few expirations with a volatility to compare.",
    "detector_failed": "The detector stopped with an error of its own: see the log.",
    "condition_not_met": "The rule's condition does not hold.",
    "grade_too_low": "The chains behind the figures are graded below what the rule accepts.",
    "null_field": "A field that the rule names is null: the metric beside says which.",
    "not_computable": "The rule divides by zero, or comes to numbers beyond all bounds.",
}

VERDICT_REASONS: dict[str, str] = {
    "contract_expired": "The contract settled before its open interest of that session was seen.",
    "contract_missing": "The contract is no longer listed.",
    "contract_adjusted": "The contract was adjusted: its open interest is counted in another unit.",
    "several_sessions": "The change is that of several sessions.",
}

OUTCOME_REASONS: dict[str, str] = {
    "claim_unknown": "Its detector is not there any more: nobody says what it claimed.",
    "session_not_scanned": "No scan stands for that session: none closed it, and none was of grade B or better.",
    "chain_not_scanned": "The scan that stands for that session does not hold its chain.",
    "not_known_then": "The figure was not known when the alert began.",
    "not_known_now": "The figure is not known of that session.",
    "low_grade": "The chains around 30 days of that session earned no grade whose volatility counts.",
    "metric_not_kept": "What it measured is no figure that sessions keep.",
    "event_ahead": "The release that it is about had not come.",
    "no_direction": "It claims no direction.",
    "no_trade": "It is about nothing that could be bought at a known spread.",
    "spread_unknown": "The spread at the alert is not known.",
    "no_quote": "The contract had no two-sided quote in that session.",
    "split_between": "A split lies between: the contract is another one.",
    "settled": "It had settled, or did in that session.",
}

FLAGS: dict[str, str] = {
    "no_bid": "The bid is 0 or not stated.",
    "no_ask": "The ask is 0 or not stated.",
    "crossed": "The ask is below the bid.",
    "negative_price": "A quoted price is negative.",
    "stale_last_trade": "The last trade is of an earlier session.",
    "volume_carried": "The volume is of an earlier session, or of an unknown one.",
    "placeholder_iv": "The vendor's implied volatility is one of its fill-in values.",
    "iv_from_other_side": "The volatility is that of the strike's out-of-the-money side.",
    "arbitrage": "The quote breaks a no-arbitrage bound across the spreads.",
    "adjusted": "Adjusted or non-standard contract, in quarantine.",
    "symbol_mismatch": "The symbol's expiration, type or strike differs from the row's.",
    "expired": "The contract had settled when it was quoted.",
}

DOCUMENT_REASONS: dict[str, str] = {
    "unfit_record": "The record is not what its document describes and was left out.",
}

ALL: dict[str, dict[str, str]] = {
    "ticker": TICKER_REASONS,
    "quality": QUALITY_REASONS,
    "field": FIELD_REASONS,
    "detector": DETECTOR_REASONS,
    "verdict": VERDICT_REASONS,
    "outcome": OUTCOME_REASONS,
    "flag": FLAGS,
    "document": DOCUMENT_REASONS,
}


def explain(code: str) -> str:
    """Return the sentence of ``code``; KeyError where no list holds it."""
    for codes in ALL.values():
        if code in codes:
            return codes[code]
    raise KeyError(code)
