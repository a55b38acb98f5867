"""The loyalty wing: clubs, points, newsletters."""
