"""What a network may predict."""
