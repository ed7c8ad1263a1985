"""People's own words: what was decided about them, redaction, transcripts, reports, their files (writing is
`actions/`)."""
