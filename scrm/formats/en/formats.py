"""English dates as the whole world reads them: the day first, the month in words, 24 hours."""

DATE_FORMAT = "j F Y"
SHORT_DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j F Y, H:i"
SHORT_DATETIME_FORMAT = "j M Y, H:i"

# Of our own, for narrow places.
DAY_FORMAT = "j M"
MONTH_FORMAT = "M Y"
LONG_DAY_FORMAT = "l, j F Y"
DAY_TIME_FORMAT = "j M H:i"
WEEKDAY_TIME_FORMAT = "D j M H:i"
DAY_YEAR_TIME_FORMAT = "j M Y H:i"
WEEKDAY_YEAR_TIME_FORMAT = "D j M Y H:i"
