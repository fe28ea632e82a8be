"""From a finding to an alert: identity, life, score, words."""
