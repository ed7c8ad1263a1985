"""Files that people take home from a workshop: a module per format."""
