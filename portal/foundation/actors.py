"""Who acts: a signed-in user, nobody, or Guildhall itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Actor:
    """One who acts, as policies and audit see them; also what Flask-Login carries.

    user_id: the user's key, None for nobody and for Guildhall itself.
    name, email: as shown and as signed in with.
    roles: role names; several a person.
    tenant_id: the organisation whose data the actor may see, from the session alone; None for
        staff and members.
    tenant_name: that organisation's name, for the page's head.
    tenant_is_active: whether that organisation may act at present.
    language, zone: how pages and mails are written for the actor.
    session_id: the row of the present sign-in; empty for tokens.
    viewed_by: the administrator who looks through this user's eyes; such an actor may only read.
    must_enrol: staff who must set up a second factor before anything else.
    """

    user_id: int | None = None
    name: str = ""
    email: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)
    tenant_id: int | None = None
    tenant_name: str | None = None
    tenant_is_active: bool = True
    language: str | None = None
    zone: str = "UTC"
    session_id: str = ""
    viewed_by: "Actor | None" = None
    must_enrol: bool = False
    staff_roles: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_signed_in(self) -> bool:
        """Return whether this is a user."""
        return self.user_id is not None

    @property
    def is_staff(self) -> bool:
        """Return whether the actor works for the vendor."""
        return bool(self.roles & self.staff_roles)

    @property
    def viewing_as(self) -> bool:
        """Return whether an administrator looks through this user's eyes."""
        return self.viewed_by is not None

    @property
    def initials(self) -> str:
        """Return one or two letters that stand for the name."""
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    @property
    def is_authenticated(self) -> bool:
        """Return whether this is a user; Flask-Login's word."""
        return self.is_signed_in

    @property
    def is_active(self) -> bool:
        """Return whether the user may act; Flask-Login's word."""
        return self.is_signed_in

    @property
    def is_anonymous(self) -> bool:
        """Return whether nobody is signed in; Flask-Login's word."""
        return not self.is_signed_in

    def get_id(self) -> str:
        """Return the session's id; Flask-Login's word."""
        return self.session_id


ANONYMOUS = Actor()
SYSTEM = Actor(name="Guildhall")
