"""What the seeds say in words, and the measurable proposition that stands for it."""
