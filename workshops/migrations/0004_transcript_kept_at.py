
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workshops', '0003_safeguarding_lead'),
    ]

    operations = [
        migrations.AddField(
            model_name='transcript',
            name='kept_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
