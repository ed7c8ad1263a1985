"""Pages: urls, views, forms, template tags, admission of crowds."""
