"""What staff type, checked; every sentence stands at the field it is about."""
