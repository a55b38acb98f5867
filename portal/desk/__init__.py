"""What staff see across the slices: queues, settings, jobs, audit."""
