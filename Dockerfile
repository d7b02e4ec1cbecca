FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 MALLOC_ARENA_MAX=2
WORKDIR /app

COPY requirements.txt .
RUN pip install --require-hashes -r requirements.txt

COPY . .
# Static files are collected once, here. These values only let the settings load; none stays in the image.
RUN PRODUCTION=1 SECRET_KEY=build ALLOWED_HOSTS=build STATIC_ROOT=/srv/static \
    DATABASE_URL=postgresql://build@build/build REDIS_URL=redis://build \
    ENCRYPTION_KEYS="$(python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')" \
    python manage.py collectstatic --noinput

RUN useradd --system --uid 10001 --no-create-home crm && install -d -o crm /data
USER crm
ENV PRODUCTION=1 DATA_DIR=/data STATIC_ROOT=/srv/static PORT=8000
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=6s --start-period=40s CMD ["python", "-m", "scrm.probe"]
CMD ["sh", "-c", "exec uvicorn scrm.asgi:application --host 0.0.0.0 --port $PORT --no-access-log --no-server-header"]
