from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('forecasting', '0016_level_of_a_run'),
    ]

    operations = [
        migrations.AddField(
            model_name='forecastrun',
            name='part_level_factors',
            field=models.JSONField(default=dict, help_text='The same for forecasts by channel and by segment, by that word.'),
        ),
    ]
