"""The portal's slices, lowest first; start reading here."""

SLICES = (
    "portal.accounts",
    "portal.products",
    "portal.customers",
    "portal.partners",
    "portal.deals",
    "portal.installed_base",
    "portal.service_jobs",
    "portal.desk",
)
