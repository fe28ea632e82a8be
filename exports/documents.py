"""Every field of every exported document: the one list.

The JSON Schema, the OpenAPI schema, the CSV columns, the store's export SQL and the README's tables are generated
from this list or tested against it. A field that is not here is not exported.

Units: prices in the underlying's currency per share, volatilities and rates decimal per year (0.25), rank and
percentile 0-100, put delta negative, theta per calendar day, vega per volatility point, rho per rate point, exposures
in dollars per 1 % move of the underlying.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldType = Literal["string", "number", "integer", "boolean", "date", "datetime", "object", "array"]

SCHEMA_VERSION = 1

DOCUMENT_NAMES = ("alerts", "chains", "scans", "features", "history", "meta")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    ``type`` is the JSON type (date and datetime are strings: YYYY-MM-DD, RFC 3339 in UTC). ``significant`` is the
    number of significant digits a JSON number is rounded to (None: exact). ``fields`` are the members of an object, or
    of each object of an array; ``items`` is the type of an array's elements, ``items_nullable`` whether one may be
    null. ``csv`` is the column's name in CSV downloads where it differs from ``name``.
    """

    name: str
    type: FieldType
    help: str
    unit: str = ""
    nullable: bool = True
    significant: int | None = None
    csv: str | None = None
    fields: tuple[Field, ...] = ()
    items: FieldType | None = None
    items_nullable: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """One exported document: ``<name>.json`` with its records under the key ``name``.

    ``count_key`` names the envelope's count. ``index`` are the columns that its index holds, each a path into the
    record (dots descend into objects), so that lists are filtered and ordered without parsing records. ``always``:
    written on every export; the others only when what they hold moved. ``identity`` are the fields that make a record
    unique, also the last keys of every ordering.
    """

    name: str
    count_key: str
    help: str
    fields: tuple[Field, ...]
    index: tuple[str, ...]
    identity: tuple[str, ...]
    always: bool

    def field(self, path: str) -> Field:
        """Return the field at ``path`` (dots descend); KeyError where there is none."""
        fields, found = self.fields, None
        for part in path.split("."):
            found = next((field for field in fields if field.name == part), None)
            if found is None:
                raise KeyError(path)
            fields = found.fields
        assert found is not None
        return found


def _text(name: str, help: str, *, nullable: bool = False, csv: str | None = None) -> Field:
    return Field(name, "string", help, nullable=nullable, csv=csv)


def _time(name: str, help: str, *, nullable: bool = False) -> Field:
    return Field(name, "datetime", help, nullable=nullable)


def _date(name: str, help: str, *, nullable: bool = False, csv: str | None = None) -> Field:
    return Field(name, "date", help, nullable=nullable, csv=csv)


def _price(name: str, help: str, *, csv: str | None = None) -> Field:
    return Field(name, "number", help, unit="price", csv=csv)


def _count(name: str, help: str, *, nullable: bool = True, unit: str = "contracts", csv: str | None = None) -> Field:
    return Field(name, "integer", help, unit=unit, nullable=nullable, csv=csv)


def _decimal(name: str, help: str, *, unit: str = "decimal", csv: str | None = None, significant: int = 6) -> Field:
    return Field(name, "number", help, unit=unit, significant=significant, csv=csv)


def _dollars(name: str, help: str, *, nullable: bool = False) -> Field:
    return Field(name, "number", help, unit="$", nullable=nullable)


def _flag(name: str, help: str, *, nullable: bool = False) -> Field:
    return Field(name, "boolean", help, nullable=nullable)


def _texts(name: str, help: str) -> Field:
    return Field(name, "array", help, nullable=False, items="string")


def _object(name: str, help: str, fields: tuple[Field, ...] = (), *, nullable: bool = False) -> Field:
    return Field(name, "object", help, nullable=nullable, fields=fields)


def _objects(name: str, help: str, fields: tuple[Field, ...] = ()) -> Field:
    return Field(name, "array", help, nullable=False, items="object", fields=fields)


def _series(name: str, items: FieldType, help: str, *, unit: str = "") -> Field:
    """Return an array beside ``dates``: one value a session, null where it is not known."""
    return Field(name, "array", help, unit=unit, nullable=False, items=items, items_nullable=True)


REASONS = _object("reasons", "For each field that is null for a reason: the reason's code.")

CONTRACT_FIELDS: tuple[Field, ...] = (
    _text("contract_symbol", "OCC symbol, without spaces.", csv="option_symbol"),
    _text("root", "Option root of the OCC symbol."),
    _count("multiplier", "Shares that one contract delivers.", unit="shares"),
    _flag("adjusted", "Adjusted or non-standard deliverable: kept and shown, in no aggregate."),
    Field("strike", "number", "Strike price.", unit="price", nullable=False),
    _price("bid", "Bid as the feed stated it."),
    _price("ask", "Ask as the feed stated it."),
    _price("mid", "Mean of bid and ask; null without a two-sided quote."),
    _count("bid_size", "Contracts bid."),
    _count("ask_size", "Contracts asked."),
    _price("last_price", "Last trade's price.", csv="last"),
    _time("last_trade_time", "Time of the last trade.", nullable=True),
    _count("volume", "Volume as the feed stated it; another session's where flagged volume_carried."),
    _count("open_interest", "Open interest as the feed stated it, settled at open_interest_date."),
    _decimal("bid_iv", "Implied volatility of the bid."),
    _decimal(
        "implied_volatility",
        "Implied volatility of the mid, computed here; of the strike's out-of-the-money side where both are quoted.",
    ),
    _decimal("ask_iv", "Implied volatility of the ask."),
    _decimal("delta", "Spot delta, negative for puts."),
    _decimal("gamma", "Change of delta for one unit of price.", unit="1/price"),
    _decimal("theta", "Change of value for one calendar day, by the chain's theta_convention.", unit="price/day"),
    _decimal("vega", "Change of value for one volatility point.", unit="price/point"),
    _decimal("rho", "Change of value for one rate point.", unit="price/point"),
    _decimal("vanna", "Change of delta for one volatility point.", unit="1/point"),
    _decimal("charm", "Change of delta for one calendar day.", unit="1/day"),
    _decimal("vendor_implied_volatility", "The feed's implied volatility, for comparison only."),
    _decimal("vendor_delta", "The feed's delta, for comparison only."),
    _flag("in_the_money", "In the money by the feed's own statement.", nullable=True),
    _texts("flags", "Facts about this row's quote."),
    REASONS,
)

CHAIN_TOTALS: tuple[Field, ...] = (
    _count("call_volume", "Calls traded this session."),
    _count("put_volume", "Puts traded this session."),
    _count("volume", "Contracts traded this session."),
    _count("call_open_interest", "Open interest of the calls."),
    _count("put_open_interest", "Open interest of the puts."),
    _count("open_interest", "Open interest of calls and puts."),
    _decimal("put_call_volume_ratio", "Put volume over call volume.", unit="ratio"),
    _decimal("put_call_open_interest_ratio", "Put open interest over call open interest.", unit="ratio"),
)

QUALITY_FACTS: tuple[Field, ...] = (
    _count("contracts", "Contracts received, adjusted ones not counted.", nullable=False),
    _count("near_the_money", "Contracts within one deviation of the money.", nullable=False),
    _count("two_sided", "Of those, contracts with bid and ask above 0 and bid not above ask.", nullable=False),
    _decimal("two_sided_share", "two_sided over near_the_money.", unit="ratio"),
    _decimal("median_relative_spread", "Median of (ask - bid) / mid of the two-sided ones.", unit="ratio"),
    _decimal("deviation", "Half-width of 'near the money' in ln(strike / forward).", unit="ratio"),
    _decimal(
        "reference_price",
        "The chain's forward, else parity at the strike of least |call - put|, else the spot.",
        unit="price",
    ),
    _text("reference_source", "Where reference_price comes from: forward, parity or spot.", nullable=True),
    _decimal("quote_age_seconds", "Age of the quotes against the session's clock.", unit="s"),
    _flag("open_interest_known", "Whether any contract states open interest above 0."),
    _count("adjusted", "Contracts in quarantine.", nullable=False),
    _count("flagged_rows", "Rows that carry a flag against their quote.", nullable=False),
    _count("at_fault", "Rows near the money that break a no-arbitrage bound across the spreads."),
    _decimal("at_fault_share", "at_fault over the two-sided rows near the money.", unit="ratio"),
    _decimal(
        "band_overlap_share",
        "Strikes near the money whose call and put bands of implied volatility meet within 5 bp of forward.",
        unit="ratio",
    ),
    _decimal("vendor_difference", "Median of |implied_volatility - vendor_implied_volatility| near the money."),
    _count("vendor_compared", "Contracts behind vendor_difference."),
)

ARBITRAGE_COUNTS: tuple[Field, ...] = (
    _count("bounds", "Rows whose quotes lie outside the bounds of value."),
    _count("vertical", "Rows that break monotony in strike."),
    _count("butterfly", "Rows that break convexity in strike."),
    _count("parity", "Strikes whose call and put break parity across the spreads."),
    _count("calendar", "1 where total variance at the money falls below the expiration before, across the spreads."),
    _count("rows", "Rows left out because of them."),
)

# A smile is the small difference of large parameters: six digits of each would not give its sixth digit.
PARAMETER_DIGITS = 12

SMILE_FIELDS: tuple[Field, ...] = (
    _text("model", "Model of the fit.", nullable=True),
    _decimal("a", "Raw SVI: level of total variance.", unit="variance", significant=PARAMETER_DIGITS),
    _decimal("b", "Raw SVI: slope of the wings.", unit="variance", significant=PARAMETER_DIGITS),
    _decimal("rho", "Raw SVI: lean.", unit="ratio", significant=PARAMETER_DIGITS),
    _decimal("m", "Raw SVI: centre in ln(strike / forward).", unit="ratio", significant=PARAMETER_DIGITS),
    _decimal("sigma", "Raw SVI: width of the bend.", unit="ratio", significant=PARAMETER_DIGITS),
    _decimal("residual_rms", "Root mean square of fit less quotes within 2.5 deviations of the forward."),
    _decimal("residual_max", "Largest distance of fit and quotes within 2.5 deviations of the forward."),
    _count("points", "Quotes behind the fit.", unit="quotes"),
    _flag("arbitrage_free", "Whether the fitted density is nowhere negative over the quoted strikes.", nullable=True),
)

SKEW_FIELDS: tuple[Field, ...] = (
    _decimal("iv_50d", "Implied volatility at 50 delta."),
    _decimal("put_iv_25d", "Implied volatility of the 25-delta put."),
    _decimal("call_iv_25d", "Implied volatility of the 25-delta call."),
    _decimal("skew_25d", "(put_iv_25d - call_iv_25d) / iv_50d.", unit="ratio"),
    _decimal("risk_reversal_25d", "call_iv_25d - put_iv_25d."),
    _decimal("butterfly_25d", "(call_iv_25d + put_iv_25d) / 2 - atm_iv."),
    _decimal("put_iv_10d", "Implied volatility of the 10-delta put."),
    _decimal("call_iv_10d", "Implied volatility of the 10-delta call."),
    _decimal("skew_10d", "(put_iv_10d - call_iv_10d) / iv_50d.", unit="ratio"),
    _decimal("risk_reversal_10d", "call_iv_10d - put_iv_10d."),
    _decimal("butterfly_10d", "(call_iv_10d + put_iv_10d) / 2 - atm_iv."),
)

EXPOSURE_FIELDS: tuple[Field, ...] = (
    _decimal("gamma", "Gamma exposure, calls + and puts -: a naive assumption of dealers.", unit="$/1 %"),
    _decimal("vanna", "Change of dollar delta for one volatility point, signed as gamma.", unit="$/point"),
    _decimal("charm", "Change of dollar delta for one calendar day, signed as gamma.", unit="$/day"),
    _price("call_wall", "Strike of the largest gamma exposure of calls."),
    _price("put_wall", "Strike of the largest gamma exposure of puts."),
    _decimal(
        "flip", "Spot at which gamma exposure, revalued, crosses zero; the crossing nearest to the spot.", unit="price"
    ),
    Field("strikes", "array", "Strikes of the arrays beside, ascending.", unit="price", items="number"),
    _series("gamma_by_strike", "number", "Gamma exposure of each strike.", unit="$/1 %"),
    _series("vanna_by_strike", "number", "Vanna exposure of each strike.", unit="$/point"),
    _series("charm_by_strike", "number", "Charm exposure of each strike.", unit="$/day"),
)

LIQUIDITY_FIELDS: tuple[Field, ...] = (
    _decimal(
        "at_the_money_spread", "(ask - bid) / mid of the call and put nearest to the forward, mean.", unit="ratio"
    ),
    _decimal("spread_in_volatility", "Median of ask_iv - bid_iv near the money."),
    _decimal("quoted_dollars", "Median of size times mid times multiplier, bid and ask, near the money.", unit="$"),
    _decimal("volume_concentration", "Largest strike's share of the chain's volume.", unit="ratio"),
    _decimal("open_interest_concentration", "Largest strike's share of the chain's open interest.", unit="ratio"),
    _price("most_traded_strike", "Strike of the largest volume."),
    _price("most_held_strike", "Strike of the largest open interest."),
)

CHAIN_ANALYTICS: tuple[Field, ...] = (
    _object(
        "smile",
        "Fit over the quotes; for charts and interpolation, never in place of a quote.",
        SMILE_FIELDS,
        nullable=True,
    ),
    _object("skew", "Out-of-the-money volatilities by delta.", SKEW_FIELDS, nullable=True),
    _decimal("expected_move", "Spot times atm_iv times sqrt(tenor).", unit="price"),
    _decimal("expected_move_straddle", "0.85 times the at-the-money straddle.", unit="price"),
    _decimal("forward_volatility", "Volatility between the expiration before and this one."),
    _price("max_pain", "Strike at which the holders of all options together get least at settlement."),
    _object("exposure", "Exposures of open interest.", EXPOSURE_FIELDS, nullable=True),
    _object("liquidity", "Spreads, depth and where trading stands.", LIQUIDITY_FIELDS, nullable=True),
    _object("arbitrage", "Breaches of no-arbitrage bounds across the spreads.", ARBITRAGE_COUNTS, nullable=True),
)

QUALITY = _object(
    "quality",
    "The grade and the facts that it follows from.",
    (
        _text("grade", "A (best) to F."),
        _texts("reasons", "Codes of what lowered the grade."),
        _object("facts", "What was measured.", QUALITY_FACTS),
    ),
)

CHAIN_FIELDS: tuple[Field, ...] = (
    _text("ticker", "Canonical ticker of the underlying.", csv="underlying_symbol"),
    _text("root", "Option root: chains of two roots on one date are two chains."),
    _text("provider", "Provider that was asked."),
    _text("feed", "Feed whose numbers these are."),
    _time("as_of", "Moment that the quotes stand for: their time inside a session, else the last close."),
    _time("quote_time", "The quotes' own time, or the stamp less the feed's delay."),
    _date("market_date", "New York session that the quotes belong to.", csv="quote_date"),
    _date("open_interest_date", "Session at whose end the open interest was settled."),
    _date("expiration", "Expiration date."),
    Field("dte", "integer", "Calendar days from as_of's New York date to expiration.", unit="days", nullable=False),
    _text("settlement", "AM or PM."),
    _time("settlement_time", "Moment of settlement, the end of the tenor."),
    _text("exercise_style", "american or european."),
    _price("underlying_price", "Spot as the feed stated it."),
    _time("underlying_time", "Time of the spot, where the feed states it.", nullable=True),
    _decimal("spot", "Spot that the model uses: see spot_source.", unit="price"),
    _text("spot_source", "forwards (the near forwards' curve shows it) or stated (no forward is near).", nullable=True),
    _decimal("forward", "Forward of this expiration.", unit="price"),
    _text("forward_source", "How the forward was found: parity, equal_iv, neighbours or carry.", nullable=True),
    _decimal("rate", "Continuous rate to settlement."),
    _text("rate_source", "Where the rate comes from: parity, treasury, setting, demo or assumed.", nullable=True),
    _decimal("discount_factor", "Discount factor to settlement.", unit="ratio"),
    _objects(
        "dividends",
        "Cash dividends that go ex before settlement.",
        (
            _date("date", "Ex-date."),
            Field("amount", "number", "Dollars a share.", unit="price", nullable=False, significant=6),
            _text("source", "declared, projected or implied."),
        ),
    ),
    _text("theta_convention", "forward_fixed (European) or spot_fixed (American).", nullable=True),
    _decimal("atm_iv", "Implied volatility at the forward."),
    _object("totals", "Sums over the chain, adjusted contracts and carried volume left out.", CHAIN_TOTALS),
    _object("analytics", "Smile, skew, expected move, exposures.", CHAIN_ANALYTICS),
    QUALITY,
    _object(
        "coverage",
        "Contracts of this chain now, and in the last scan that had it.",
        (
            _count("listed", "Contracts in the last scan that had this chain."),
            _count("received", "Contracts received.", nullable=False),
        ),
    ),
    _text("scan_id", "Scan that recorded it."),
    _object(
        "newest_attempt",
        "A newer chain that was worse than the one served; null where this is the newest.",
        (
            _time("as_of", "Its as_of."),
            _time("quote_time", "Its quote_time."),
            _text("scan_id", "Its scan."),
            _text("grade", "Its grade."),
            _texts("reasons", "Why."),
        ),
        nullable=True,
    ),
    REASONS,
    _objects("calls", "Calls by strike.", CONTRACT_FIELDS),
    _objects("puts", "Puts by strike.", CONTRACT_FIELDS),
)

STRATEGY_FIELDS: tuple[Field, ...] = (
    _text("name", "What traders call it, such as iron_condor."),
    _objects(
        "legs",
        "Its contracts, of the finding's chains.",
        (
            _text("contract_symbol", "OCC symbol, without spaces."),
            _text("side", "buy or sell."),
            _count("quantity", "Contracts for one structure.", nullable=False),
            Field("bid", "number", "Bid, above 0.", unit="price", nullable=False),
            Field("ask", "number", "Ask, not below the bid.", unit="price", nullable=False),
            Field("mid", "number", "Mean of bid and ask.", unit="price", nullable=False),
        ),
    ),
    _dollars("net_mid", "Price of one structure at the mids, multiplier included; negative where it is received."),
    _dollars("net_crossing", "Price when crossing the spreads: bought at the ask, sold at the bid."),
    _dollars("max_profit", "Most that it brings, at net_crossing; null where that has no bound.", nullable=True),
    _dollars("max_loss", "Most that it loses, at net_crossing, as a number above 0."),
    Field(
        "break_evens",
        "array",
        "Prices of the underlying at which it neither brings nor loses, at net_crossing.",
        unit="price",
        nullable=False,
        items="number",
    ),
    _text(
        "payoff_model",
        "at_expiration, or black_76_far_volatility_held: the later contract revalued when the earlier one expires.",
    ),
    _decimal("delta", "Change of its value for one of spot, of the legs' own deltas.", unit="$/price"),
    _decimal("gamma", "Change of its delta for one of spot.", unit="$/price²"),
    _decimal("theta", "Change of its value for one calendar day.", unit="$/day"),
    _decimal("vega", "Change of its value for one volatility point.", unit="$/point"),
    _decimal(
        "probability_of_profit",
        "Risk-neutral probability of a profit at the first expiration, at net_crossing: what prices say, no forecast.",
        unit="0-1",
    ),
    _text(
        "probability_model",
        "risk_neutral_svi: by the smile's density; risk_neutral_lognormal: by the volatility at the money.",
        nullable=True,
    ),
    REASONS,
)

VERDICT_FIELDS: tuple[Field, ...] = (
    _text("verdict", "opened, closed, mixed or unknown."),
    _count("open_interest_before", "Open interest at the end of the session before the alert's, as the alert saw it."),
    _count("open_interest_after", "Open interest at the end of the alert's session."),
    _count("change", "open_interest_after - open_interest_before."),
    _date("market_date", "Session of the chain that it is from."),
    _time("decided_at", "as_of of that chain."),
    _text("reason", "Why it is unknown: a reason code.", nullable=True),
)

OUTCOME_FIELDS: tuple[Field, ...] = (
    _text("horizon", "1, 5 or 20 sessions after the one in which it began, or expiration."),
    _date("market_date", "Session whose figures decide."),
    _text("metric", "What was compared.", nullable=True),
    Field("value_then", "number", "Its value in the scan that raised the alert (an implied move: that move)."),
    Field("value_now", "number", "Its value in that session (an implied move: the move that came)."),
    Field("change", "number", "now - then; of a price now / then - 1, splits undone."),
    _flag("hit", "Whether the claim came true.", nullable=True),
    Field(
        "net",
        "number",
        "What a trade brought, half of ask - bid at the alert taken off: of a contract, as a share of its mid; of a "
        "volatility, in volatility; of a straddle, as a share of the spot.",
    ),
    _text("reason", "Why hit, or else net, is null.", nullable=True),
)

TRACK_RECORD_FIELDS: tuple[Field, ...] = (
    _text("detector", "Detector."),
    _text("horizon", "Horizon, as in outcomes."),
    _count("n", "Alerts whose outcome is known.", nullable=False, unit="alerts"),
    _count("hits", "Those whose claim came true.", nullable=False, unit="alerts"),
    Field("hit_rate", "number", "hits / n.", unit="0-1"),
    Field("low", "number", "Lower end of its 95 % interval (Wilson).", unit="0-1"),
    Field("high", "number", "Upper end.", unit="0-1"),
    Field("median", "number", "Median change in the claim's favour."),
    Field("base_rate", "number", "Share of all sessions of the same tickers and days of which it is true.", unit="0-1"),
    _count("base_n", "Those sessions.", nullable=False, unit="sessions"),
    _text("text", "In words; unproven below 20."),
)

# What staff say of an alert: kept beside it and added by the export, so the store's records hold none of it.
ALERT_MARKS: tuple[Field, ...] = (
    _time("acknowledged_at", "When somebody took note of it.", nullable=True),
    _text("acknowledged_by", "Who took note of it.", nullable=True),
    _time("muted_until", "Until when nobody is told of it.", nullable=True),
)

ALERT_FIELDS: tuple[Field, ...] = (
    _text("id", "Stable id: hash of the key and the session in which the episode began."),
    _text("key", "provider, ticker, detector, subject and direction, joined."),
    _text("provider", "Provider that was asked."),
    _text("ticker", "Canonical ticker."),
    _text("detector", "Detector that found it."),
    _text("subject", "What it is about: empty, an expiration with its root, or a contract."),
    _text("direction", "bullish, bearish or neutral."),
    _text("state", "new, ongoing or ended."),
    _date("session", "Session in which the episode began."),
    _text("first_scan_id", "Scan that raised it."),
    _text("last_scan_id", "Scan that last confirmed or ended it."),
    _time("first_seen", "as_of of the first finding."),
    _time("last_seen", "as_of of the last finding."),
    Field("score", "number", "0-100, by its parts.", nullable=False),
    _object("score_parts", "What the score is made of."),
    Field("confidence", "number", "0-1, from the quality of the data behind it.", nullable=False),
    _text("summary", "One line."),
    _text("reason", "A sentence that explains it."),
    _object(
        "trigger",
        "The comparison that armed it.",
        (
            _text("metric", "What was measured."),
            Field("value", "number", "Its value.", nullable=False),
            Field("threshold", "number", "Its arm level.", nullable=False),
            _text("comparison", "Such as >=."),
        ),
    ),
    _object("metrics", "Figures behind the finding."),
    _objects(
        "strategies", "Up to three defined-risk structures that fit it, priced as the episode begins.", STRATEGY_FIELDS
    ),
    _text("claim", "What has to come true of it, such as spot_follows.", nullable=True),
    _object("track_record", "How its detector's alerts before it came out.", TRACK_RECORD_FIELDS, nullable=True),
    _object("verdict", "What the next session's open interest says.", VERDICT_FIELDS, nullable=True),
    _objects("outcomes", "What became of it, held against its claim.", OUTCOME_FIELDS),
    _text("config_hash", "Hash of the effective configuration."),
    _text("code_version", "Version of the code that found it."),
    *ALERT_MARKS,
)

TICKER_RESULT: tuple[Field, ...] = (
    _text("ticker", "Canonical ticker."),
    _text("reason", "Reason code; null for ok.", nullable=True),
    _text("detail", "What happened, in words.", nullable=True),
)

SCAN_FIELDS: tuple[Field, ...] = (
    _text("id", "Id of the scan."),
    _text("kind", "scheduled, close, manual, request or backfill."),
    _time("slot", "Scheduled moment that it fills.", nullable=True),
    _time("started_at", "Start."),
    _time("finished_at", "End.", nullable=True),
    _time("as_of", "Newest as_of of its chains.", nullable=True),
    _text("status", "ok, partial, failed, skipped or interrupted."),
    _text("reason", "Why it is not ok.", nullable=True),
    _text("provider", "Provider that was asked."),
    _text("feed", "Feed whose numbers it holds, joined by commas where there are several."),
    _object(
        "tickers",
        "What became of each ticker.",
        (
            _texts("requested", "Tickers asked for."),
            _texts("ok", "Tickers recorded."),
            _objects("failed", "Tickers that failed.", TICKER_RESULT),
            _objects("skipped", "Tickers not tried, or with nothing to record.", TICKER_RESULT),
            _objects(
                "not_recorded", "Tickers and expirations that a recording lists but does not hold.", TICKER_RESULT
            ),
        ),
    ),
    _objects(
        "coverage",
        "Chains and contracts against the last scan of each ticker.",
        (
            _text("ticker", "Canonical ticker."),
            _count("chains", "Chains received.", nullable=False, unit="chains"),
            _count("contracts", "Contracts received.", nullable=False),
            Field("missing", "array", "Unexpired expirations that the last scan had and this one lacks.", items="date"),
            Field("not_recorded", "array", "Listed expirations that the recording does not hold.", items="date"),
            _count("contracts_before", "Contracts in the last scan, of the chains that both have."),
        ),
    ),
    _count("chains", "Chains recorded.", nullable=False, unit="chains"),
    _count("contracts", "Contracts recorded.", nullable=False),
    _count("alerts", "Alerts standing after it.", nullable=False, unit="alerts"),
    _count("new_alerts", "Alerts that it raised.", nullable=False, unit="alerts"),
    _object("grades", "Chains by grade."),
    _object("rejections", "Rows left out, by reason."),
    _objects(
        "detectors",
        "What each detector said of the tickers, and why it was quiet.",
        (
            _text("detector", "Detector."),
            _count("armed", "Tickers on which it found something.", nullable=False, unit="tickers"),
            _count("quiet", "Tickers on which it found nothing.", nullable=False, unit="tickers"),
            _count("not_evaluated", "Tickers that it could not judge.", nullable=False, unit="tickers"),
            _object("reasons", "Tickers without a finding, by reason."),
        ),
    ),
    _objects(
        "near_misses",
        "What came nearest to an alert without being one, the nearest first.",
        (
            _text("ticker", "Ticker."),
            _text("detector", "Detector."),
            _text("metric", "What it measures."),
            Field("value", "number", "Its value.", nullable=False),
            Field("threshold", "number", "Its arm level.", nullable=False),
            _text("comparison", "How the value has to stand to it, such as >=."),
        ),
    ),
    _count("provider_calls", "Requests that it spent.", nullable=False, unit="calls"),
    _object("seconds", "Seconds by phase."),
    _text("config_hash", "Hash of the effective configuration."),
    _text("code_version", "Version of the code that ran."),
)

FEATURE_FIELDS: tuple[Field, ...] = (
    _text("ticker", "Canonical ticker."),
    _text("provider", "Provider that was asked."),
    _text("feed", "Feed whose numbers these are."),
    _time("as_of", "Moment that the figures stand for."),
    _time("quote_time", "The quotes' own time."),
    _date("market_date", "New York session."),
    _text("scan_id", "Scan that recorded it."),
    _text("grade", "Best grade among the chains behind the option figures; null without chains.", nullable=True),
    _price("price", "Spot as the feed stated it."),
    _time("price_time", "Time of the spot, where the feed states it.", nullable=True),
    _decimal("return_1d", "Return against the last session's close, splits undone."),
    _decimal("return_5d", "Return over 5 sessions, splits undone."),
    _decimal("return_20d", "Return over 20 sessions, splits undone."),
    _decimal("realised_volatility_10d", "Close to close, 10 returns, annualised by sqrt(252)."),
    _decimal("realised_volatility_20d", "Close to close, 20 returns, annualised by sqrt(252)."),
    _decimal("realised_volatility_60d", "Close to close, 60 returns, annualised by sqrt(252)."),
    _decimal("parkinson_20d", "Realised volatility by Parkinson's estimator, 20 sessions."),
    _decimal("garman_klass_20d", "Realised volatility by Garman and Klass's estimator, 20 sessions."),
    _decimal("rogers_satchell_20d", "Realised volatility by Rogers and Satchell's estimator, 20 sessions."),
    _decimal("yang_zhang_20d", "Realised volatility by Yang and Zhang's estimator, 20 sessions."),
    _decimal("realised_volatility_rank", "Rank of realised_volatility_20d in its last 252 sessions.", unit="0-100"),
    _count("underlying_volume", "Shares traded in the last closed session.", unit="shares"),
    *CHAIN_TOTALS,
    _count("expirations_used", "Expirations behind the option figures.", unit="expirations"),
    _count("expirations_listed", "Expirations that the feed lists.", unit="expirations"),
    _flag("partial", "Whether the option figures stand on fewer expirations than are listed.", nullable=True),
    _decimal("iv_7d", "Constant-maturity implied volatility, 7 days."),
    _decimal("iv_14d", "Constant-maturity implied volatility, 14 days."),
    _decimal("iv_30d", "Constant-maturity implied volatility, 30 days."),
    _decimal("iv_60d", "Constant-maturity implied volatility, 60 days."),
    _decimal("iv_90d", "Constant-maturity implied volatility, 90 days."),
    _decimal("iv_180d", "Constant-maturity implied volatility, 180 days."),
    _text("iv_grade", "Worse grade of the chains around 30 days.", nullable=True),
    _decimal("iv_rank", "100 (iv_30d - min) / (max - min) of the sessions before.", unit="0-100"),
    _decimal("iv_percentile", "Share of the sessions before with iv_30d strictly below.", unit="0-100"),
    _count("iv_rank_sessions", "Sessions behind rank and percentile.", unit="sessions"),
    _count("iv_rank_window", "Sessions that the window reaches back.", unit="sessions"),
    _date("iv_rank_first_date", "First of them.", nullable=True),
    _date("iv_rank_last_date", "Last of them.", nullable=True),
    _text("iv_rank_source", "Feed whose 30-day volatilities these are.", nullable=True),
    _text("iv_rank_status", "normal from 60 sessions, short from 20.", nullable=True),
    _decimal("volatility_risk_premium", "iv_30d - realised_volatility_20d."),
    _decimal("skew_25d", "(25-delta put IV - 25-delta call IV) / 50-delta IV, 30 days.", unit="ratio"),
    _decimal("risk_reversal_25d", "25-delta call IV - 25-delta put IV, 30 days."),
    _decimal("butterfly_25d", "Mean of the 25-delta IVs less the at-the-money IV, 30 days."),
    _decimal("skew_10d", "(10-delta put IV - 10-delta call IV) / 50-delta IV, 30 days.", unit="ratio"),
    _decimal("risk_reversal_10d", "10-delta call IV - 10-delta put IV, 30 days."),
    _decimal("butterfly_10d", "Mean of the 10-delta IVs less the at-the-money IV, 30 days."),
    _decimal("term_slope", "iv_90d - iv_30d."),
    _objects(
        "term_structure",
        "At-the-money volatility by expiration.",
        (
            _date("expiration", "Expiration date."),
            _text("root", "Option root."),
            _decimal("days", "Tenor in calendar days.", unit="days"),
            _decimal("atm_iv", "Implied volatility at the forward."),
            _decimal("forward_volatility", "Volatility between the point before and this one."),
            _flag("used", "Whether the constant maturities rest on it."),
        ),
    ),
    _objects(
        "volatility_cone",
        "Realised volatility over windows of the last 252 sessions, beside the implied one of that tenor.",
        (
            _count("sessions", "Length of the window.", unit="sessions", nullable=False),
            _decimal("minimum", "Lowest."),
            _decimal("lower", "First quartile."),
            _decimal("median", "Median."),
            _decimal("upper", "Third quartile."),
            _decimal("maximum", "Highest."),
            _decimal("current", "Now."),
            _decimal("implied", "Constant-maturity implied volatility of as many calendar days."),
        ),
    ),
    _decimal("expected_move_30d", "Spot times iv_30d times sqrt(30/365).", unit="price"),
    _decimal("expected_move_straddle", "0.85 times the nearest at-the-money straddle.", unit="price"),
    _date("expected_move_expiration", "Expiration of that straddle.", nullable=True),
    _price("max_pain", "Of the nearest expiration with known open interest: see chains."),
    _date("max_pain_expiration", "That expiration.", nullable=True),
    _decimal("gamma_exposure", "Calls + and puts -: a naive assumption of dealers.", unit="$/1 %"),
    _decimal("gamma_flip", "Spot at which gamma exposure, revalued, crosses zero.", unit="price"),
    _price("call_wall", "Strike of the largest gamma exposure of calls."),
    _price("put_wall", "Strike of the largest gamma exposure of puts."),
    _decimal("vanna_exposure", "Change of dollar delta for one volatility point.", unit="$/point"),
    _decimal("charm_exposure", "Change of dollar delta for one calendar day.", unit="$/day"),
    _count("exposure_expirations_used", "Expirations behind the exposures.", unit="expirations"),
    _decimal("median_relative_spread", "Median of (ask - bid) / mid near the money.", unit="ratio"),
    _decimal("spread_in_volatility", "Median of ask_iv - bid_iv near the money."),
    _date("next_earnings_date", "Next earnings date.", nullable=True),
    _flag("next_earnings_confirmed", "Whether the date is confirmed or an estimate.", nullable=True),
    _decimal("implied_earnings_move", "Standard deviation of the move that the options expect of it.", unit="ratio"),
    _date("implied_earnings_expiration", "First expiration after it.", nullable=True),
    _objects(
        "detectors",
        "For each detector its value against its threshold: why there is no alert.",
        (
            _text("detector", "Detector."),
            _text("status", "armed, quiet or not_evaluated."),
            _text("metric", "What it measures.", nullable=True),
            Field("value", "number", "Its highest value in this scan."),
            Field("threshold", "number", "Its arm level."),
            _text("comparison", "How the value has to stand to it, such as >=.", nullable=True),
            _text("reason", "Why it was not evaluated, or why it is quiet.", nullable=True),
        ),
    ),
    REASONS,
)

HISTORY_FIELDS: tuple[Field, ...] = (
    _text("ticker", "Canonical ticker."),
    _text("provider", "Provider that was asked."),
    Field("dates", "array", "Closed sessions, oldest first, at most 400.", nullable=False, items="date"),
    _series("close", "number", "Closes as they were printed.", unit="price"),
    _series("split_factor", "number", "What divides a close to make it comparable with the newest."),
    _series("underlying_volume", "integer", "Shares traded.", unit="shares"),
    _series("realised_volatility_20d", "number", "As in features.", unit="decimal"),
    _series("iv_30d", "number", "As in features; null where iv_grade is below B.", unit="decimal"),
    _series("skew_25d", "number", "As in features; null where iv_grade is below B.", unit="ratio"),
    _series("term_slope", "number", "As in features; null where iv_grade is below B.", unit="decimal"),
    _series("volume", "integer", "Contracts traded.", unit="contracts"),
    _series("open_interest", "integer", "Open interest.", unit="contracts"),
    _series("put_call_volume_ratio", "number", "As in features.", unit="ratio"),
    _series("put_call_open_interest_ratio", "number", "As in features.", unit="ratio"),
    _series("grade", "string", "Grade of the session's scan."),
    _series("source", "string", "Feed of each session."),
)

META_FIELDS: tuple[Field, ...] = (
    _text("kind", "detector, provider, field or reason."),
    _text("name", "Its name (fields: document.path)."),
    _text("help", "What it means."),
    _text("unit", "Unit of a field.", nullable=True),
    _text("type", "Type of a field.", nullable=True),
    _object(
        "detail",
        "Detectors: hypothesis, effective configuration, claim and track records. Providers: feed, delay, terms.",
    ),
)

ALERTS = Document(
    "alerts",
    "alert_count",
    "Alerts of the last 30 days, at most 10,000, newest first.",
    ALERT_FIELDS,
    (
        "id",
        "ticker",
        "detector",
        "state",
        "score",
        "confidence",
        "first_seen",
        "last_seen",
        "first_scan_id",
        "last_scan_id",
        "summary",
    ),
    ("id",),
    always=True,
)
CHAINS = Document(
    "chains",
    "chain_count",
    "The newest usable chain of each ticker, expiration and root.",
    CHAIN_FIELDS,
    (
        "ticker",
        "expiration",
        "root",
        "dte",
        "as_of",
        "settlement",
        "quality.grade",
        "atm_iv",
        "totals.volume",
        "totals.open_interest",
    ),
    ("ticker", "expiration", "root"),
    always=False,
)
SCANS = Document(
    "scans",
    "scan_count",
    "The last 500 scans, newest first.",
    SCAN_FIELDS,
    ("id", "status", "started_at", "finished_at"),
    ("id",),
    always=True,
)
FEATURES = Document(
    "features",
    "feature_count",
    "The newest usable figures of each active ticker.",
    FEATURE_FIELDS,
    (
        "ticker",
        "as_of",
        "grade",
        "price",
        "return_1d",
        "realised_volatility_20d",
        "volume",
        "open_interest",
        "put_call_volume_ratio",
        "put_call_open_interest_ratio",
        "iv_30d",
        "iv_rank",
        "iv_percentile",
        "volatility_risk_premium",
        "skew_25d",
        "term_slope",
        "expected_move_30d",
        "implied_earnings_move",
        "gamma_exposure",
        "max_pain",
        "next_earnings_date",
    ),
    ("ticker",),
    always=True,
)
HISTORY = Document(
    "history",
    "history_count",
    "One record a ticker: arrays over its last 400 closed sessions.",
    HISTORY_FIELDS,
    ("ticker",),
    ("ticker",),
    always=False,
)
META = Document(
    "meta",
    "meta_count",
    "What detectors, providers, fields and reason codes mean.",
    META_FIELDS,
    ("kind", "name"),
    ("kind", "name"),
    always=False,
)

DOCUMENTS: dict[str, Document] = {
    document.name: document for document in (ALERTS, CHAINS, SCANS, FEATURES, HISTORY, META)
}
