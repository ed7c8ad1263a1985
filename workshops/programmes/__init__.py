"""What is to be asked: the shape of the programme file, plans, drafts and their checks (reads and pure
functions; writing is `actions/`)."""
