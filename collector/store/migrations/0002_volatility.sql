-- What the volatility analytics add: terms of each chain, figures of each ticker, rates.

ALTER TABLE chains ADD COLUMN spot DOUBLE;
ALTER TABLE chains ADD COLUMN rate_source VARCHAR;
ALTER TABLE chains ADD COLUMN dividends JSON;
ALTER TABLE chains ADD COLUMN theta_convention VARCHAR;

ALTER TABLE features ADD COLUMN realised_volatility_10d DOUBLE;
ALTER TABLE features ADD COLUMN realised_volatility_60d DOUBLE;
ALTER TABLE features ADD COLUMN parkinson_20d DOUBLE;
ALTER TABLE features ADD COLUMN garman_klass_20d DOUBLE;
ALTER TABLE features ADD COLUMN rogers_satchell_20d DOUBLE;
ALTER TABLE features ADD COLUMN yang_zhang_20d DOUBLE;
ALTER TABLE features ADD COLUMN realised_volatility_rank DOUBLE;
ALTER TABLE features ADD COLUMN partial BOOLEAN;
ALTER TABLE features ADD COLUMN iv_grade VARCHAR;
ALTER TABLE features ADD COLUMN iv_rank_sessions INTEGER;
ALTER TABLE features ADD COLUMN iv_rank_window INTEGER;
ALTER TABLE features ADD COLUMN iv_rank_first_date DATE;
ALTER TABLE features ADD COLUMN iv_rank_last_date DATE;
ALTER TABLE features ADD COLUMN iv_rank_source VARCHAR;
ALTER TABLE features ADD COLUMN iv_rank_status VARCHAR;
ALTER TABLE features ADD COLUMN volatility_risk_premium DOUBLE;
ALTER TABLE features ADD COLUMN skew_10d DOUBLE;
ALTER TABLE features ADD COLUMN risk_reversal_10d DOUBLE;
ALTER TABLE features ADD COLUMN butterfly_10d DOUBLE;
ALTER TABLE features ADD COLUMN term_structure JSON;
ALTER TABLE features ADD COLUMN volatility_cone JSON;
ALTER TABLE features ADD COLUMN expected_move_straddle DOUBLE;
ALTER TABLE features ADD COLUMN expected_move_expiration DATE;
ALTER TABLE features ADD COLUMN max_pain DOUBLE;
ALTER TABLE features ADD COLUMN max_pain_expiration DATE;
ALTER TABLE features ADD COLUMN gamma_exposure DOUBLE;
ALTER TABLE features ADD COLUMN gamma_flip DOUBLE;
ALTER TABLE features ADD COLUMN call_wall DOUBLE;
ALTER TABLE features ADD COLUMN put_wall DOUBLE;
ALTER TABLE features ADD COLUMN vanna_exposure DOUBLE;
ALTER TABLE features ADD COLUMN charm_exposure DOUBLE;
ALTER TABLE features ADD COLUMN exposure_expirations_used INTEGER;
ALTER TABLE features ADD COLUMN median_relative_spread DOUBLE;
ALTER TABLE features ADD COLUMN spread_in_volatility DOUBLE;
ALTER TABLE features ADD COLUMN implied_earnings_move DOUBLE;
ALTER TABLE features ADD COLUMN implied_earnings_expiration DATE;

CREATE TABLE rates (
    scan_id VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    feed VARCHAR NOT NULL,
    date DATE NOT NULL,
    days INTEGER NOT NULL,
    rate DOUBLE NOT NULL,
    basis VARCHAR NOT NULL,
    known_at TIMESTAMPTZ NOT NULL,
    source VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    inserted_at TIMESTAMPTZ NOT NULL
);
