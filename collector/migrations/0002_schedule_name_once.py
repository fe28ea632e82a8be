"""A schedule's name is unique, which django-q leaves open: two syncs at once make each row once."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("collector", "0001_initial"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]

    operations = [
        migrations.RunSQL(
            sql="CREATE UNIQUE INDEX collector_schedule_name_once ON django_q_schedule (name)",
            reverse_sql="DROP INDEX collector_schedule_name_once",
        )
    ]
