"""What a finite number of steps loses."""
