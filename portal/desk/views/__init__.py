"""Pages of the desk: `base` has the blueprint, `queue` the deals to review, `system` the rest."""
