-- What the detectors of a scan said, and what came near to an alert.

ALTER TABLE scans ADD COLUMN detectors JSON DEFAULT '[]';
ALTER TABLE scans ADD COLUMN near_misses JSON DEFAULT '[]';
