from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workshops', '0008_wanted_notes'),
    ]

    operations = [
        migrations.AddField(
            model_name='agreement',
            name='revision',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
    ]
