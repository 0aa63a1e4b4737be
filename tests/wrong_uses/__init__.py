"""Wrong uses by what is used wrongly; tests/test_wrong_uses.py reads what people are told."""
