"""Make every table of the house."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.foundation.migrations import append_only, drop_append_only

revision = "0001"
down_revision = None
branch_labels = ("default",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column(
            "viewed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("thing_type", sa.String(length=63), nullable=False),
        sa.Column("thing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "changes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_audit_entries_actor_id_id"), ["actor_id", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_audit_entries_name_id"), ["name", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_audit_entries_thing_type_thing_id_id"),
            ["thing_type", "thing_id", "id"],
            unique=False,
        )

    op.create_table(
        "clubs",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("points_name", sa.String(length=40), nullable=False),
        sa.Column("programme_approval", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clubs")),
        sa.UniqueConstraint("code", name=op.f("uq_clubs_code")),
    )
    op.create_table(
        "customers",
        sa.Column("identity", sa.String(length=250), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("domain", sa.String(length=253), nullable=True),
        sa.Column("tax_id", sa.String(length=40), nullable=True),
        sa.Column("tax_key", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("identity", name=op.f("uq_customers_identity")),
    )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customers_domain"), ["domain"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_customers_name_key_country"), ["name_key", "country"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_customers_tax_key"), ["tax_key"], unique=False)

    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "values", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facts")),
    )
    with op.batch_alter_table("facts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_facts_name_id"), ["name", "id"], unique=False)

    op.create_table(
        "form_nonces",
        sa.Column("nonce", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_nonces")),
        sa.UniqueConstraint("nonce", name=op.f("uq_form_nonces_nonce")),
    )
    with op.batch_alter_table("form_nonces", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_form_nonces_used_at"), ["used_at"], unique=False)

    op.create_table(
        "heartbeats",
        sa.Column("worker", sa.String(length=80), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leads", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeats")),
        sa.UniqueConstraint("worker", name=op.f("uq_heartbeats_worker")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("content_type", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_idempotency_keys_user_id_key")),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_keys_used_at"), ["used_at"], unique=False)

    op.create_table(
        "import_jobs",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("club", sa.String(length=40), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("stored_name", sa.String(length=60), nullable=True),
        sa.Column("mapping", sa.Text(), nullable=True),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "running",
                "done",
                "refused",
                "failed",
                name="import_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "done_line", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("read", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("updated", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "unchanged", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("rejected", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warned", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "rejects_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_jobs")),
        sa.UniqueConstraint("stored_name", name=op.f("uq_import_jobs_stored_name")),
    )
    with op.batch_alter_table("import_jobs", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_import_jobs_actor_id_id"), ["actor_id", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_import_jobs_created_at"), ["created_at"], unique=False)

    op.create_table(
        "job_closings",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("closing", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_undone", sa.Boolean(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_closings")),
        sa.UniqueConstraint("job_id", "closing", name=op.f("uq_job_closings_job_id_closing")),
    )
    op.create_table(
        "job_cursors",
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("scheduled_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_cursors")),
        sa.UniqueConstraint("job", name=op.f("uq_job_cursors_job")),
    )
    op.create_table(
        "job_runs",
        sa.Column("job", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("args", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "running",
                "done",
                "failed",
                "parked",
                name="run_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("worker", sa.String(length=80), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("skipped", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("failed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
        sa.UniqueConstraint("key", name=op.f("uq_job_runs_key")),
    )
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_runs_job_id"), ["job", "id"], unique=False)
        batch_op.create_index(
            "ix_job_runs_open",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )

    op.create_table(
        "ledger_audits",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accounts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "transfers", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("entries", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "unbalanced", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("drifted", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "findings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_audits")),
    )
    op.create_table(
        "mail_messages",
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=160), nullable=True),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("to_address", sa.String(length=254), nullable=False),
        sa.Column("to_name", sa.String(length=120), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column(
            "headers", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "attachments", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "leased",
                "handed_over",
                "failed",
                "suppressed",
                name="mail_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease", sa.String(length=40), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_messages")),
        sa.UniqueConstraint("message_id", name=op.f("uq_mail_messages_message_id")),
        sa.UniqueConstraint("source", name=op.f("uq_mail_messages_source")),
    )
    with op.batch_alter_table("mail_messages", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_mail_messages_state_next_at_id"),
            ["state", "next_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_mail_messages_to_address"), ["to_address"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_mail_messages_user_id"), ["user_id"], unique=False)

    op.create_table(
        "mail_suppressions",
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_suppressions")),
        sa.UniqueConstraint("address", name=op.f("uq_mail_suppressions_address")),
    )
    op.create_table(
        "partners",
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "distributor",
                "reseller",
                "repair_station",
                name="partner_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("city", sa.String(length=100), nullable=True),
        sa.Column("domain", sa.String(length=253), nullable=True),
        sa.Column("tax_id", sa.String(length=40), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("tier", sa.String(length=40), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "onboarding",
                "active",
                "on_notice",
                "suspended",
                "terminated",
                name="partner_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partners")),
        sa.UniqueConstraint("reference", name=op.f("uq_partners_reference")),
    )
    with op.batch_alter_table("partners", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_partners_country_id"), ["country", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_partners_kind_country_id"), ["kind", "country", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_partners_name_key_id"), ["name_key", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_partners_status_id"), ["status", "id"], unique=False)

    op.create_table(
        "products",
        sa.Column("sku", sa.String(length=80), nullable=False),
        sa.Column("sku_key", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("family", sa.String(length=100), nullable=True),
        sa.Column("category", sa.String(length=100), nullable=True),
        sa.Column("list_price", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column(
            "warranty_months", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("sku", name=op.f("uq_products_sku")),
        sa.UniqueConstraint("sku_key", name=op.f("uq_products_sku_key")),
    )
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_products_family_id"), ["family", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_products_name_key_id"), ["name_key", "id"], unique=False
        )

    op.create_table(
        "rate_counts",
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("hits", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_counts")),
        sa.UniqueConstraint("key", name=op.f("uq_rate_counts_key")),
    )
    with op.batch_alter_table("rate_counts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rate_counts_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "service_job_numbers",
        sa.Column("year", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("last", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_job_numbers")),
        sa.UniqueConstraint("year", name=op.f("uq_service_job_numbers_year")),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settings")),
        sa.UniqueConstraint("name", name=op.f("uq_settings_name")),
    )
    op.create_table(
        "sign_in_back_offs",
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("failures", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_back_offs")),
        sa.UniqueConstraint("email_key", name=op.f("uq_sign_in_back_offs_email_key")),
    )
    with op.batch_alter_table("sign_in_back_offs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_back_offs_last_at"), ["last_at"], unique=False)

    op.create_table(
        "staged_purchase_lines",
        sa.Column("token", sa.String(length=80), nullable=False),
        sa.Column(
            "file_line", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("purchase_id", sa.String(length=80), nullable=False),
        sa.Column("member", sa.String(length=80), nullable=False),
        sa.Column("happened", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("line", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=80), nullable=True),
        sa.Column("category", sa.String(length=80), nullable=True),
        sa.Column("quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "staged_day", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staged_purchase_lines")),
    )
    with op.batch_alter_table("staged_purchase_lines", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_staged_purchase_lines_staged_day"), ["staged_day"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_staged_purchase_lines_token_purchase_id_file_line"),
            ["token", "purchase_id", "file_line"],
            unique=False,
        )

    op.create_table(
        "stored_files",
        sa.Column("storage_name", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("height", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_files")),
        sa.UniqueConstraint("storage_name", name=op.f("uq_stored_files_storage_name")),
    )
    with op.batch_alter_table("stored_files", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_stored_files_purpose_id"), ["purpose", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_stored_files_tenant_id_id"), ["tenant_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_stored_files_user_id_id"), ["user_id", "id"], unique=False
        )

    op.create_table(
        "devices",
        sa.Column("serial", sa.String(length=80), nullable=False),
        sa.Column("serial_key", sa.String(length=80), nullable=False),
        sa.Column("sku", sa.String(length=80), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("sold_on", sa.Date(), nullable=True),
        sa.Column(
            "sold_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("owner_name", sa.String(length=200), nullable=True),
        sa.Column("owner_email", sa.String(length=254), nullable=True),
        sa.Column("owner_email_key", sa.String(length=254), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("warranty_until", sa.Date(), nullable=True),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_devices_product_id")
        ),
        sa.ForeignKeyConstraint(
            ["sold_by_id"], ["partners.id"], name=op.f("fk_devices_sold_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("serial_key", name=op.f("uq_devices_serial_key")),
    )
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_devices_owner_email_key_id"), ["owner_email_key", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_devices_product_id"), ["product_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_devices_registered_at_id"), ["registered_at", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_devices_sku_id"), ["sku", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_devices_sold_by_id_id"), ["sold_by_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_devices_warranty_until_id"), ["warranty_until", "id"], unique=False
        )

    op.create_table(
        "fact_deliveries",
        sa.Column("fact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("listener", sa.String(length=120), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "done",
                "failed",
                name="delivery_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["fact_id"], ["facts.id"], name=op.f("fk_fact_deliveries_fact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_deliveries")),
        sa.UniqueConstraint(
            "fact_id", "listener", name=op.f("uq_fact_deliveries_fact_id_listener")
        ),
    )
    with op.batch_alter_table("fact_deliveries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_fact_deliveries_state_id"), ["state", "id"], unique=False
        )
        batch_op.create_index(
            "ix_fact_deliveries_waiting",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )

    op.create_table(
        "users",
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("language", sa.String(length=12), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("totp_secret", sa.String(length=200), nullable=True),
        sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "totp_last_step", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "notifications",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            nullable=False,
        ),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_users_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
    )
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_users_name_id"), ["name", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_users_partner_id"), ["partner_id"], unique=False)

    op.create_table(
        "api_tokens",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_tokens_user_id"), ["user_id"], unique=False)

    op.create_table(
        "deals",
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "submitted",
                "in_review",
                "returned",
                "approved",
                "won",
                "lost",
                "expired",
                "withdrawn",
                "revoked",
                "rejected",
                name="deal_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "registered_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("customer_name", sa.String(length=200), nullable=False),
        sa.Column("customer_country", sa.String(length=2), nullable=True),
        sa.Column("customer_domain", sa.String(length=253), nullable=True),
        sa.Column("customer_tax_id", sa.String(length=40), nullable=True),
        sa.Column("customer_name_key", sa.String(length=200), nullable=False),
        sa.Column("customer_domain_key", sa.String(length=253), nullable=True),
        sa.Column("customer_tax_key", sa.String(length=40), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("expected_close_on", sa.Date(), nullable=True),
        sa.Column(
            "source",
            sa.Enum(
                "own",
                "lead",
                "renewal",
                name="deal_source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_tender", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("owner_email", sa.String(length=254), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decide_by_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("has_conflict", sa.Boolean(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "protection_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("protected_until", sa.Date(), nullable=True),
        sa.Column("protection_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "reminded_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_deals_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["users.id"], name=op.f("fk_deals_decided_by_id")
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_deals_partner_id")),
        sa.ForeignKeyConstraint(
            ["registered_by_id"], ["users.id"], name=op.f("fk_deals_registered_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deals")),
        sa.UniqueConstraint("reference", name=op.f("uq_deals_reference")),
    )
    with op.batch_alter_table("deals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deals_amount_id"), ["amount", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_deals_customer_domain_key"), ["customer_domain_key"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_deals_customer_id_id"), ["customer_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_deals_customer_name_id"), ["customer_name", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_deals_customer_name_key_customer_country"),
            ["customer_name_key", "customer_country"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_deals_customer_tax_key"), ["customer_tax_key"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_deals_partner_id_id"), ["partner_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_deals_partner_id_registered_on_id"),
            ["partner_id", "registered_on", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_deals_protected",
            ["protection_ends_at", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'approved'"),
            postgresql_where=sa.text("status = 'approved'"),
        )
        batch_op.create_index(
            batch_op.f("ix_deals_registered_on_id"), ["registered_on", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_deals_status_registered_on_id"),
            ["status", "registered_on", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_deals_waiting",
            ["decide_by_at", "id"],
            unique=False,
            sqlite_where=sa.text("status IN ('submitted', 'in_review')"),
            postgresql_where=sa.text("status IN ('submitted', 'in_review')"),
        )

    op.create_table(
        "members",
        sa.Column("club_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=80), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_key", sa.String(length=254), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("birthday", sa.SmallInteger(), nullable=True),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("tier", sa.String(length=40), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "active", name="member_state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["club_id"], ["clubs.id"], name=op.f("fk_members_club_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_members_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("club_id", "email_key", name=op.f("uq_members_club_id_email_key")),
        sa.UniqueConstraint("club_id", "external_id", name=op.f("uq_members_club_id_external_id")),
        sa.UniqueConstraint("number", name=op.f("uq_members_number")),
    )
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.create_index(
            "ix_members_club_id_birthday",
            ["club_id", "birthday", "id"],
            unique=False,
            sqlite_where=sa.text("birthday IS NOT NULL"),
            postgresql_where=sa.text("birthday IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_members_club_id_joined_on_id"),
            ["club_id", "joined_on", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_members_club_id_name_key_id"),
            ["club_id", "name_key", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_members_email_key_id"), ["email_key", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_members_joined_on_id"), ["joined_on", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_members_name_key_id"), ["name_key", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_members_user_id"), ["user_id"], unique=False)

    op.create_table(
        "newsletters",
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("club_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column(
            "blocks", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "audience", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "approved",
                "sending",
                "sent",
                "cancelled",
                name="newsletter_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "changed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "approved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["approved_by_id"], ["users.id"], name=op.f("fk_newsletters_approved_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["changed_by_id"], ["users.id"], name=op.f("fk_newsletters_changed_by_id")
        ),
        sa.ForeignKeyConstraint(["club_id"], ["clubs.id"], name=op.f("fk_newsletters_club_id")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_newsletters_created_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_newsletters")),
        sa.UniqueConstraint("reference", name=op.f("uq_newsletters_reference")),
    )
    with op.batch_alter_table("newsletters", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_newsletters_club_id_id"), ["club_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_newsletters_created_at_id"), ["created_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_newsletters_sending",
            ["id"],
            unique=False,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )

    op.create_table(
        "one_time_tokens",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "invitation",
                "reset",
                "sign_in",
                "email",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_one_time_tokens_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_tokens_token_hash")),
    )
    with op.batch_alter_table("one_time_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_one_time_tokens_user_id"), ["user_id"], unique=False)

    op.create_table(
        "programme_versions",
        sa.Column("club_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "awaiting_approval",
                "published",
                name="programme_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column(
            "document", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("created_by_name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "approved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["approved_by_id"], ["users.id"], name=op.f("fk_programme_versions_approved_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["club_id"], ["clubs.id"], name=op.f("fk_programme_versions_club_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_programme_versions_created_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_versions")),
        sa.UniqueConstraint(
            "club_id", "version", name=op.f("uq_programme_versions_club_id_version")
        ),
    )
    with op.batch_alter_table("programme_versions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_programme_versions_club_id_status_effective_from"),
            ["club_id", "status", "effective_from"],
            unique=False,
        )

    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_codes_code_hash")),
    )
    with op.batch_alter_table("recovery_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recovery_codes_user_id"), ["user_id"], unique=False)

    op.create_table(
        "saved_views",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("endpoint", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_saved_views_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint(
            "user_id", "endpoint", "name", name=op.f("uq_saved_views_user_id_endpoint_name")
        ),
    )
    op.create_table(
        "service_jobs",
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("reference_key", sa.String(length=60), nullable=False),
        sa.Column(
            "station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("serial", sa.String(length=80), nullable=True),
        sa.Column("serial_key", sa.String(length=80), nullable=True),
        sa.Column("is_unknown_serial", sa.Boolean(), nullable=False),
        sa.Column("sku", sa.String(length=80), nullable=True),
        sa.Column("brand", sa.String(length=100), nullable=True),
        sa.Column("category", sa.String(length=100), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("symptom_code", sa.String(length=40), nullable=True),
        sa.Column("accessories", sa.String(length=500), nullable=True),
        sa.Column("proof_of_purchase", sa.String(length=500), nullable=True),
        sa.Column("customer_name", sa.String(length=200), nullable=True),
        sa.Column("customer_email", sa.String(length=254), nullable=True),
        sa.Column("customer_email_key", sa.String(length=254), nullable=True),
        sa.Column(
            "entitlement", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "status",
            sa.Enum(
                "received",
                "repairing",
                "ready",
                "closed",
                "declined",
                "unrepairable",
                "cancelled",
                name="job_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("status_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closings", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("repair_code", sa.String(length=80), nullable=True),
        sa.Column("repair_note", sa.Text(), nullable=True),
        sa.Column("end_reason", sa.String(length=500), nullable=True),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name=op.f("fk_service_jobs_device_id")
        ),
        sa.ForeignKeyConstraint(
            ["station_id"], ["partners.id"], name=op.f("fk_service_jobs_station_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_jobs")),
        sa.UniqueConstraint("reference", name=op.f("uq_service_jobs_reference")),
    )
    with op.batch_alter_table("service_jobs", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_service_jobs_category_id"), ["category", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_service_jobs_customer_email_key_id"),
            ["customer_email_key", "id"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_service_jobs_device_id"), ["device_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_service_jobs_received_at_id"), ["received_at", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_service_jobs_reference_key"), ["reference_key"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_service_jobs_serial_key_received_at"),
            ["serial_key", "received_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_service_jobs_station_id_received_at_id"),
            ["station_id", "received_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_service_jobs_station_id_status_received_at_id"),
            ["station_id", "status", "received_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_service_jobs_status_received_at_id"),
            ["status", "received_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "uq_service_jobs_open_serial",
            ["serial_key"],
            unique=True,
            sqlite_where=sa.text(
                "serial_key IS NOT NULL AND status NOT IN ('closed', 'declined', 'unrepairable', 'cancelled')"
            ),
            postgresql_where=sa.text(
                "serial_key IS NOT NULL AND status NOT IN ('closed', 'declined', 'unrepairable', 'cancelled')"
            ),
        )

    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "administrator",
                "channel_manager",
                "service_manager",
                "marketing",
                "partner_admin",
                "partner_sales",
                "technician",
                "member",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_roles_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_roles")),
        sa.UniqueConstraint("user_id", "role", name=op.f("uq_user_roles_user_id_role")),
    )
    with op.batch_alter_table("user_roles", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_user_roles_role_user_id"), ["role", "user_id"], unique=False
        )

    op.create_table(
        "user_sessions",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column(
            "viewing_as_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id")),
        sa.ForeignKeyConstraint(
            ["viewing_as_id"], ["users.id"], name=op.f("fk_user_sessions_viewing_as_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_sessions_token_hash")),
    )
    with op.batch_alter_table("user_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "consents",
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "purpose",
            sa.Enum(
                "marketing", name="purpose", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "channel",
            sa.Enum("email", name="channel", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("wording_version", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_consents_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_consents_member_id_purpose_channel_id"),
            ["member_id", "purpose", "channel", "id"],
            unique=False,
        )

    op.create_table(
        "deal_lines",
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("sku", sa.String(length=80), nullable=True),
        sa.Column("family", sa.String(length=100), nullable=True),
        sa.Column("family_key", sa.String(length=100), nullable=False),
        sa.Column("quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name=op.f("fk_deal_lines_deal_id")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_deal_lines_product_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_lines")),
        sa.UniqueConstraint("deal_id", "position", name=op.f("uq_deal_lines_deal_id_position")),
    )
    with op.batch_alter_table("deal_lines", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deal_lines_family_key_deal_id"), ["family_key", "deal_id"], unique=False
        )

    op.create_table(
        "newsletter_pictures",
        sa.Column(
            "newsletter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["stored_files.id"], name=op.f("fk_newsletter_pictures_file_id")
        ),
        sa.ForeignKeyConstraint(
            ["newsletter_id"], ["newsletters.id"], name=op.f("fk_newsletter_pictures_newsletter_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_newsletter_pictures")),
        sa.UniqueConstraint(
            "newsletter_id", "file_id", name=op.f("uq_newsletter_pictures_newsletter_id_file_id")
        ),
    )
    with op.batch_alter_table("newsletter_pictures", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_newsletter_pictures_file_id"), ["file_id"], unique=False
        )

    op.create_table(
        "newsletter_recipients",
        sa.Column(
            "newsletter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "mailed",
                "skipped",
                name="recipient_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.Column("mail_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["mail_id"], ["mail_messages.id"], name=op.f("fk_newsletter_recipients_mail_id")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_newsletter_recipients_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["newsletter_id"],
            ["newsletters.id"],
            name=op.f("fk_newsletter_recipients_newsletter_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_newsletter_recipients")),
        sa.UniqueConstraint(
            "newsletter_id",
            "member_id",
            name=op.f("uq_newsletter_recipients_newsletter_id_member_id"),
        ),
    )
    with op.batch_alter_table("newsletter_recipients", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_newsletter_recipients_mail_id"), ["mail_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_newsletter_recipients_member_id"), ["member_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_newsletter_recipients_newsletter_id_state_id"),
            ["newsletter_id", "state", "id"],
            unique=False,
        )

    op.create_table(
        "point_accounts",
        sa.Column("club_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "available",
                "pending",
                "held",
                "debt",
                "source",
                "sink",
                name="account_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["club_id"], ["clubs.id"], name=op.f("fk_point_accounts_club_id")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_point_accounts_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_accounts")),
        sa.UniqueConstraint("club_id", "code", name=op.f("uq_point_accounts_club_id_code")),
        sa.UniqueConstraint("member_id", "kind", name=op.f("uq_point_accounts_member_id_kind")),
    )
    op.create_table(
        "point_transfers",
        sa.Column("club_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "earn",
                "mature",
                "redeem",
                "expire",
                "reverse",
                name="transfer_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "programme_version_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "reverses_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "explanation", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_point_transfers_by_id")),
        sa.ForeignKeyConstraint(["club_id"], ["clubs.id"], name=op.f("fk_point_transfers_club_id")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_point_transfers_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_version_id"],
            ["programme_versions.id"],
            name=op.f("fk_point_transfers_programme_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["point_transfers.id"], name=op.f("fk_point_transfers_reverses_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_transfers")),
        sa.UniqueConstraint("club_id", "source", name=op.f("uq_point_transfers_club_id_source")),
    )
    with op.batch_alter_table("point_transfers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_point_transfers_member_id_happened_at_id"),
            ["member_id", "happened_at", "id"],
            unique=False,
        )

    op.create_table(
        "service_job_notes",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_name", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["service_jobs.id"], name=op.f("fk_service_job_notes_job_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_job_notes")),
    )
    with op.batch_alter_table("service_job_notes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_service_job_notes_job_id_id"), ["job_id", "id"], unique=False
        )

    op.create_table(
        "service_job_parts",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku", sa.String(length=80), nullable=False),
        sa.Column("quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("old_serial", sa.String(length=80), nullable=True),
        sa.Column("new_serial", sa.String(length=80), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["service_jobs.id"], name=op.f("fk_service_job_parts_job_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_job_parts")),
    )
    with op.batch_alter_table("service_job_parts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_job_parts_job_id"), ["job_id"], unique=False)

    op.create_table(
        "point_entries",
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("points <> 0", name=op.f("ck_point_entries_points_move")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["point_accounts.id"], name=op.f("fk_point_entries_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["point_transfers.id"], name=op.f("fk_point_entries_transfer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_entries")),
    )
    with op.batch_alter_table("point_entries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_point_entries_account_id_id"), ["account_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_point_entries_transfer_id"), ["transfer_id"], unique=False
        )

    op.create_table(
        "point_lots",
        sa.Column("club_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "remaining", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("earned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("is_pending", sa.Boolean(), nullable=False),
        sa.Column("matures", sa.Boolean(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "remaining >= 0 AND remaining <= points", name=op.f("ck_point_lots_remaining_in_bounds")
        ),
        sa.ForeignKeyConstraint(["club_id"], ["clubs.id"], name=op.f("fk_point_lots_club_id")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_point_lots_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["point_transfers.id"], name=op.f("fk_point_lots_transfer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_lots")),
    )
    with op.batch_alter_table("point_lots", schema=None) as batch_op:
        batch_op.create_index(
            "ix_point_lots_expiring",
            ["club_id", "expires_on", "id"],
            unique=False,
            sqlite_where=sa.text("remaining > 0 AND expires_on IS NOT NULL"),
            postgresql_where=sa.text("remaining > 0 AND expires_on IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_point_lots_member_id_earned_at_id"),
            ["member_id", "earned_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_point_lots_pending",
            ["available_at", "id"],
            unique=False,
            sqlite_where=sa.text("is_pending AND matures"),
            postgresql_where=sa.text("is_pending AND matures"),
        )
        batch_op.create_index(
            "ix_point_lots_spendable",
            ["member_id", "expires_on", "earned_at", "id"],
            unique=False,
            sqlite_where=sa.text("remaining > 0"),
            postgresql_where=sa.text("remaining > 0"),
        )
        batch_op.create_index(
            batch_op.f("ix_point_lots_transfer_id"), ["transfer_id"], unique=False
        )

    op.create_table(
        "purchases",
        sa.Column("club_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("purchase_id", sa.String(length=80), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column(
            "tenders", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column(
            "discounts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["club_id"], ["clubs.id"], name=op.f("fk_purchases_club_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_purchases_member_id")),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["point_transfers.id"], name=op.f("fk_purchases_transfer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchases")),
        sa.UniqueConstraint(
            "club_id", "purchase_id", name=op.f("uq_purchases_club_id_purchase_id")
        ),
    )
    with op.batch_alter_table("purchases", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_purchases_club_id_happened_at_id"),
            ["club_id", "happened_at", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_purchases_member_id_happened_at_id"),
            ["member_id", "happened_at", "id"],
            unique=False,
        )

    op.create_table(
        "redemptions",
        sa.Column("club_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "member_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "confirmed",
                name="redemption_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["club_id"], ["clubs.id"], name=op.f("fk_redemptions_club_id")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_redemptions_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["point_transfers.id"], name=op.f("fk_redemptions_transfer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemptions")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_redemptions_transfer_id")),
    )
    with op.batch_alter_table("redemptions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_redemptions_member_id_id"), ["member_id", "id"], unique=False
        )

    op.create_table(
        "lot_uses",
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("points > 0", name=op.f("ck_lot_uses_points_taken")),
        sa.ForeignKeyConstraint(["lot_id"], ["point_lots.id"], name=op.f("fk_lot_uses_lot_id")),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["point_transfers.id"], name=op.f("fk_lot_uses_transfer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_uses")),
    )
    with op.batch_alter_table("lot_uses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lot_uses_lot_id"), ["lot_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_lot_uses_transfer_id"), ["transfer_id"], unique=False)

    op.create_table(
        "purchase_lines",
        sa.Column(
            "purchase_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("line", sa.String(length=40), nullable=False),
        sa.Column("sku", sa.String(length=80), nullable=True),
        sa.Column("category", sa.String(length=80), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_purchase_lines_purchase_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_lines")),
        sa.UniqueConstraint("purchase_id", "line", name=op.f("uq_purchase_lines_purchase_id_line")),
    )

    append_only(op, "audit_entries")
    append_only(op, "consents")
    append_only(op, "ledger_audits")
    append_only(op, "lot_uses")
    append_only(op, "point_entries")
    append_only(op, "point_transfers")
    append_only(op, "service_job_notes")


def downgrade() -> None:
    drop_append_only(op, "audit_entries")
    drop_append_only(op, "consents")
    drop_append_only(op, "ledger_audits")
    drop_append_only(op, "lot_uses")
    drop_append_only(op, "point_entries")
    drop_append_only(op, "point_transfers")
    drop_append_only(op, "service_job_notes")
    op.drop_table("purchase_lines")
    with op.batch_alter_table("lot_uses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lot_uses_transfer_id"))
        batch_op.drop_index(batch_op.f("ix_lot_uses_lot_id"))

    op.drop_table("lot_uses")
    with op.batch_alter_table("redemptions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_redemptions_member_id_id"))

    op.drop_table("redemptions")
    with op.batch_alter_table("purchases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_purchases_member_id_happened_at_id"))
        batch_op.drop_index(batch_op.f("ix_purchases_club_id_happened_at_id"))

    op.drop_table("purchases")
    with op.batch_alter_table("point_lots", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_point_lots_transfer_id"))
        batch_op.drop_index(
            "ix_point_lots_spendable",
            sqlite_where=sa.text("remaining > 0"),
            postgresql_where=sa.text("remaining > 0"),
        )
        batch_op.drop_index(
            "ix_point_lots_pending",
            sqlite_where=sa.text("is_pending AND matures"),
            postgresql_where=sa.text("is_pending AND matures"),
        )
        batch_op.drop_index(batch_op.f("ix_point_lots_member_id_earned_at_id"))
        batch_op.drop_index(
            "ix_point_lots_expiring",
            sqlite_where=sa.text("remaining > 0 AND expires_on IS NOT NULL"),
            postgresql_where=sa.text("remaining > 0 AND expires_on IS NOT NULL"),
        )

    op.drop_table("point_lots")
    with op.batch_alter_table("point_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_point_entries_transfer_id"))
        batch_op.drop_index(batch_op.f("ix_point_entries_account_id_id"))

    op.drop_table("point_entries")
    with op.batch_alter_table("service_job_parts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_job_parts_job_id"))

    op.drop_table("service_job_parts")
    with op.batch_alter_table("service_job_notes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_job_notes_job_id_id"))

    op.drop_table("service_job_notes")
    with op.batch_alter_table("point_transfers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_point_transfers_member_id_happened_at_id"))

    op.drop_table("point_transfers")
    op.drop_table("point_accounts")
    with op.batch_alter_table("newsletter_recipients", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_newsletter_recipients_newsletter_id_state_id"))
        batch_op.drop_index(batch_op.f("ix_newsletter_recipients_member_id"))
        batch_op.drop_index(batch_op.f("ix_newsletter_recipients_mail_id"))

    op.drop_table("newsletter_recipients")
    with op.batch_alter_table("newsletter_pictures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_newsletter_pictures_file_id"))

    op.drop_table("newsletter_pictures")
    with op.batch_alter_table("deal_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deal_lines_family_key_deal_id"))

    op.drop_table("deal_lines")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consents_member_id_purpose_channel_id"))

    op.drop_table("consents")
    with op.batch_alter_table("user_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_sessions_user_id"))

    op.drop_table("user_sessions")
    with op.batch_alter_table("user_roles", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_roles_role_user_id"))

    op.drop_table("user_roles")
    with op.batch_alter_table("service_jobs", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_service_jobs_open_serial",
            sqlite_where=sa.text(
                "serial_key IS NOT NULL AND status NOT IN ('closed', 'declined', 'unrepairable', 'cancelled')"
            ),
            postgresql_where=sa.text(
                "serial_key IS NOT NULL AND status NOT IN ('closed', 'declined', 'unrepairable', 'cancelled')"
            ),
        )
        batch_op.drop_index(batch_op.f("ix_service_jobs_status_received_at_id"))
        batch_op.drop_index(batch_op.f("ix_service_jobs_station_id_status_received_at_id"))
        batch_op.drop_index(batch_op.f("ix_service_jobs_station_id_received_at_id"))
        batch_op.drop_index(batch_op.f("ix_service_jobs_serial_key_received_at"))
        batch_op.drop_index(batch_op.f("ix_service_jobs_reference_key"))
        batch_op.drop_index(batch_op.f("ix_service_jobs_received_at_id"))
        batch_op.drop_index(batch_op.f("ix_service_jobs_device_id"))
        batch_op.drop_index(batch_op.f("ix_service_jobs_customer_email_key_id"))
        batch_op.drop_index(batch_op.f("ix_service_jobs_category_id"))

    op.drop_table("service_jobs")
    op.drop_table("saved_views")
    with op.batch_alter_table("recovery_codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recovery_codes_user_id"))

    op.drop_table("recovery_codes")
    with op.batch_alter_table("programme_versions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_programme_versions_club_id_status_effective_from"))

    op.drop_table("programme_versions")
    with op.batch_alter_table("one_time_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_one_time_tokens_user_id"))

    op.drop_table("one_time_tokens")
    with op.batch_alter_table("newsletters", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_newsletters_sending",
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
        batch_op.drop_index(batch_op.f("ix_newsletters_created_at_id"))
        batch_op.drop_index(batch_op.f("ix_newsletters_club_id_id"))

    op.drop_table("newsletters")
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_members_user_id"))
        batch_op.drop_index(batch_op.f("ix_members_name_key_id"))
        batch_op.drop_index(batch_op.f("ix_members_joined_on_id"))
        batch_op.drop_index(batch_op.f("ix_members_email_key_id"))
        batch_op.drop_index(batch_op.f("ix_members_club_id_name_key_id"))
        batch_op.drop_index(batch_op.f("ix_members_club_id_joined_on_id"))
        batch_op.drop_index(
            "ix_members_club_id_birthday",
            sqlite_where=sa.text("birthday IS NOT NULL"),
            postgresql_where=sa.text("birthday IS NOT NULL"),
        )

    op.drop_table("members")
    with op.batch_alter_table("deals", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_deals_waiting",
            sqlite_where=sa.text("status IN ('submitted', 'in_review')"),
            postgresql_where=sa.text("status IN ('submitted', 'in_review')"),
        )
        batch_op.drop_index(batch_op.f("ix_deals_status_registered_on_id"))
        batch_op.drop_index(batch_op.f("ix_deals_registered_on_id"))
        batch_op.drop_index(
            "ix_deals_protected",
            sqlite_where=sa.text("status = 'approved'"),
            postgresql_where=sa.text("status = 'approved'"),
        )
        batch_op.drop_index(batch_op.f("ix_deals_partner_id_registered_on_id"))
        batch_op.drop_index(batch_op.f("ix_deals_partner_id_id"))
        batch_op.drop_index(batch_op.f("ix_deals_customer_tax_key"))
        batch_op.drop_index(batch_op.f("ix_deals_customer_name_key_customer_country"))
        batch_op.drop_index(batch_op.f("ix_deals_customer_name_id"))
        batch_op.drop_index(batch_op.f("ix_deals_customer_id_id"))
        batch_op.drop_index(batch_op.f("ix_deals_customer_domain_key"))
        batch_op.drop_index(batch_op.f("ix_deals_amount_id"))

    op.drop_table("deals")
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_tokens_user_id"))

    op.drop_table("api_tokens")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_users_partner_id"))
        batch_op.drop_index(batch_op.f("ix_users_name_id"))

    op.drop_table("users")
    with op.batch_alter_table("fact_deliveries", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_fact_deliveries_waiting",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.drop_index(batch_op.f("ix_fact_deliveries_state_id"))

    op.drop_table("fact_deliveries")
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_devices_warranty_until_id"))
        batch_op.drop_index(batch_op.f("ix_devices_sold_by_id_id"))
        batch_op.drop_index(batch_op.f("ix_devices_sku_id"))
        batch_op.drop_index(batch_op.f("ix_devices_registered_at_id"))
        batch_op.drop_index(batch_op.f("ix_devices_product_id"))
        batch_op.drop_index(batch_op.f("ix_devices_owner_email_key_id"))

    op.drop_table("devices")
    with op.batch_alter_table("stored_files", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stored_files_user_id_id"))
        batch_op.drop_index(batch_op.f("ix_stored_files_tenant_id_id"))
        batch_op.drop_index(batch_op.f("ix_stored_files_purpose_id"))

    op.drop_table("stored_files")
    with op.batch_alter_table("staged_purchase_lines", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staged_purchase_lines_token_purchase_id_file_line"))
        batch_op.drop_index(batch_op.f("ix_staged_purchase_lines_staged_day"))

    op.drop_table("staged_purchase_lines")
    with op.batch_alter_table("sign_in_back_offs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_back_offs_last_at"))

    op.drop_table("sign_in_back_offs")
    op.drop_table("settings")
    op.drop_table("service_job_numbers")
    with op.batch_alter_table("rate_counts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rate_counts_expires_at"))

    op.drop_table("rate_counts")
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_products_name_key_id"))
        batch_op.drop_index(batch_op.f("ix_products_family_id"))

    op.drop_table("products")
    with op.batch_alter_table("partners", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_partners_status_id"))
        batch_op.drop_index(batch_op.f("ix_partners_name_key_id"))
        batch_op.drop_index(batch_op.f("ix_partners_kind_country_id"))
        batch_op.drop_index(batch_op.f("ix_partners_country_id"))

    op.drop_table("partners")
    op.drop_table("mail_suppressions")
    with op.batch_alter_table("mail_messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_messages_user_id"))
        batch_op.drop_index(batch_op.f("ix_mail_messages_to_address"))
        batch_op.drop_index(batch_op.f("ix_mail_messages_state_next_at_id"))

    op.drop_table("mail_messages")
    op.drop_table("ledger_audits")
    with op.batch_alter_table("job_runs", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_job_runs_open",
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )
        batch_op.drop_index(batch_op.f("ix_job_runs_job_id"))

    op.drop_table("job_runs")
    op.drop_table("job_cursors")
    op.drop_table("job_closings")
    with op.batch_alter_table("import_jobs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_jobs_created_at"))
        batch_op.drop_index(batch_op.f("ix_import_jobs_actor_id_id"))

    op.drop_table("import_jobs")
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_keys_used_at"))

    op.drop_table("idempotency_keys")
    op.drop_table("heartbeats")
    with op.batch_alter_table("form_nonces", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_form_nonces_used_at"))

    op.drop_table("form_nonces")
    with op.batch_alter_table("facts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_facts_name_id"))

    op.drop_table("facts")
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customers_tax_key"))
        batch_op.drop_index(batch_op.f("ix_customers_name_key_country"))
        batch_op.drop_index(batch_op.f("ix_customers_domain"))

    op.drop_table("customers")
    op.drop_table("clubs")
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_entries_thing_type_thing_id_id"))
        batch_op.drop_index(batch_op.f("ix_audit_entries_name_id"))
        batch_op.drop_index(batch_op.f("ix_audit_entries_actor_id_id"))

    op.drop_table("audit_entries")
