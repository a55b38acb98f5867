"""Scheduled and queued work: the table of jobs, the scheduler, the workers."""
