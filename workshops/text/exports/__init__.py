"""Export files of a workshop's notes, texts and transcripts: one module per format."""
