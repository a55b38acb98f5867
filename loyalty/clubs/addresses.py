"""When two addresses are the same person's."""

# Providers that deliver name+anything to name, as they say themselves.
IGNORES_TAGS = frozenset(
    {
        "fastmail.com",
        "gmail.com",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "me.com",
        "outlook.com",
        "proton.me",
        "protonmail.com",
    }
)


def email_key(email: str | None) -> str | None:
    """Return what makes two addresses the same: trimmed, lower-case, without an idle tag."""
    if not email or not email.strip():
        return None
    local, _, domain = email.strip().lower().rpartition("@")
    if domain in IGNORES_TAGS and not local.startswith("+"):
        local = local.split("+", 1)[0]
    return f"{local}@{domain}"
