"""What is defined: the forward process."""
