"""German dates in narrow places; the others are Django's."""

DAY_FORMAT = "j. M"
MONTH_FORMAT = "M Y"
LONG_DAY_FORMAT = "l, j. F Y"
DAY_TIME_FORMAT = "j. M H:i"
WEEKDAY_TIME_FORMAT = "D j. M H:i"
DAY_YEAR_TIME_FORMAT = "j. M Y H:i"
WEEKDAY_YEAR_TIME_FORMAT = "D j. M Y H:i"
