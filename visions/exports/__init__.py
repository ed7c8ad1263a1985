"""Files that leave: results as CSV and more."""
