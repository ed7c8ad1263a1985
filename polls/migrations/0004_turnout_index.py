from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class AddIndexBesideVotes(AddIndexConcurrently):
    """On PostgreSQL without holding up whoever writes meanwhile; SQLite has one writer anyway."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == 'postgresql':
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == 'postgresql':
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):

    # An index that is made beside other writers cannot be made in a transaction, so nothing else is done here.
    atomic = False

    dependencies = [
        ('polls', '0003_words_at_once'),
    ]

    operations = [
        AddIndexBesideVotes(
            model_name='ballot',
            index=models.Index(fields=['poll', 'rehearsal', 'status', 'after_reveal'], name='ballot_turnout'),
        ),
    ]
