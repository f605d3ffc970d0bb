"""The people of the simulated companies, and how they sign in. Never outside the demo."""

from __future__ import annotations

from dataclasses import dataclass

from forecasting.demo.specs import Trade
from tenancy.models import Membership, Role, Tenant, User
from tenancy.scope import Actor, run_in_scope

PASSWORD = "stockcast-demo"  # noqa: S105  printed by the demo, refused by production
ADMIN_EMAIL = "admin@stockcast.example"
OWNER_EMAIL = "demo@stockcast.example"


@dataclass(frozen=True)
class SignIn:
    email: str
    what: str


def create_people(companies: list[tuple[Trade, Tenant]]) -> list[SignIn]:
    """Create the platform admin, an owner of all companies and a planner and operator of each."""
    if not User.objects.filter(email=ADMIN_EMAIL).exists():
        User.objects.create_superuser(
            ADMIN_EMAIL, PASSWORD, first_name="Platform", last_name="Admin"
        )
    owner = _user(OWNER_EMAIL, "Dana", "Owner")
    sign_ins = [SignIn(OWNER_EMAIL, "owner of both companies")]
    for company, tenant in companies:
        people = {
            Role.PLANNER: _user(planner_email(company.slug), "Pat", "Planner"),
            Role.OPERATOR: _user(f"operator@{company.slug}.example", "Olu", "Operator"),
        }
        _join(tenant, {Role.OWNER: owner, **people})
        sign_ins += [
            SignIn(user.email, f"{role.label}, {tenant.name}") for role, user in people.items()
        ]
    return [*sign_ins, SignIn(ADMIN_EMAIL, "platform admin, /admin/")]


def planner_email(slug: str) -> str:
    """Return the address by which a company's planner signs in."""
    return f"planner@{slug}.example"


def _user(email: str, first_name: str, last_name: str) -> User:
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_user(
        email, PASSWORD, first_name=first_name, last_name=last_name
    )


def _join(tenant: Tenant, people: dict[Role, User]) -> None:
    def join() -> None:
        for role, user in people.items():
            if not Membership.objects.filter(user=user).exists():
                Membership.objects.create(user=user, role=role)

    run_in_scope(tenant, Actor.system("demo simulator"), join)
