"""What can change on a screen, and telling that it did after the commit; listeners register, nobody is imported."""
