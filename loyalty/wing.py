"""The loyalty slices, lowest first; start reading here."""

SLICES = (
    "loyalty.clubs",
    "loyalty.points",
    "loyalty.newsletters",
)
