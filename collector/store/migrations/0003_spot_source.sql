-- Where the spot of a chain's model comes from.

ALTER TABLE chains ADD COLUMN spot_source VARCHAR;
