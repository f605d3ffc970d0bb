"""What every tenant has: people, keys, jobs, an audit trail."""

from tenancy.models.api_key import ApiKey
from tenancy.models.audit import AuditEvent
from tenancy.models.base import TenantForeignKey, TenantOwned
from tenancy.models.idempotency import IdempotencyKey
from tenancy.models.job import Job, JobQueue, JobState
from tenancy.models.job_turn import JobTurn
from tenancy.models.member import Membership, Role, User
from tenancy.models.tenant import Tenant

__all__ = [
    "ApiKey",
    "AuditEvent",
    "IdempotencyKey",
    "Job",
    "JobQueue",
    "JobState",
    "JobTurn",
    "Membership",
    "Role",
    "Tenant",
    "TenantForeignKey",
    "TenantOwned",
    "User",
]
