-- What became of alerts, each detector's record, and the dated events that a scan knew of a ticker.

CREATE TABLE outcomes (
    scan_id VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    alert_id VARCHAR NOT NULL,
    ticker VARCHAR NOT NULL,
    detector VARCHAR NOT NULL,
    direction VARCHAR NOT NULL,
    claim VARCHAR,
    favour DOUBLE NOT NULL,
    session DATE NOT NULL,
    horizon VARCHAR NOT NULL,
    market_date DATE NOT NULL,
    metric VARCHAR,
    value_then DOUBLE,
    value_now DOUBLE,
    change DOUBLE,
    gain DOUBLE,
    hit BOOLEAN,
    net DOUBLE,
    reason VARCHAR,
    source VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    inserted_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE track_records (
    scan_id VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    detector VARCHAR NOT NULL,
    horizon VARCHAR NOT NULL,
    n INTEGER NOT NULL,
    hits INTEGER NOT NULL,
    hit_rate DOUBLE,
    low DOUBLE,
    high DOUBLE,
    median DOUBLE,
    base_rate DOUBLE,
    base_n INTEGER NOT NULL,
    text VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    inserted_at TIMESTAMPTZ NOT NULL
);

-- Each set of events once; a row of features names the set that its scan knew.
CREATE TABLE event_sets (
    scan_id VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    ticker VARCHAR NOT NULL,
    digest VARCHAR NOT NULL,
    events JSON NOT NULL,
    source VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    inserted_at TIMESTAMPTZ NOT NULL
);

ALTER TABLE features ADD COLUMN events_digest VARCHAR;
