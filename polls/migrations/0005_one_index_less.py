import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """The poll's own index: two others begin with it. SQLite copies the table, in one transaction."""

    dependencies = [
        ('polls', '0004_turnout_index'),
    ]

    operations = [
        migrations.AlterField(
            model_name='ballot',
            name='poll',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='ballots', to='polls.poll'),
        ),
    ]
