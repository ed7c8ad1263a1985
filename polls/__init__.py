"""A question, its ballots, its result; no people, no pages."""
