from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workshops', '0007_merged_groups'),
    ]

    operations = [
        migrations.AddField(
            model_name='contribution',
            name='wanted_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
