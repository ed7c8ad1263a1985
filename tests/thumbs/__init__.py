"""A poll type that the product does not have: one module, one line, two templates. `test_adding_a_type.py` votes with it."""
