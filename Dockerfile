# Foyer as a small image: the libraries are installed in a stage of their own, so that pip and its leavings stay behind.
FROM python:3.11.14-slim-bookworm AS libraries
COPY requirements.lock requirements-semantic.txt ./
RUN python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --no-cache-dir --require-hashes -r requirements.lock \
    && pip --python /venv/bin/python install --no-cache-dir --no-deps -r requirements-semantic.txt

FROM python:3.11.14-slim-bookworm
# PORT also says that callers come from outside the container. Hosts like Railway set their own.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=5000 DATA_DIR=/data
# /data is for a volume. It is not declared as one: Railway refuses that, and a forgotten volume is no better than none.
RUN pip uninstall --yes --quiet wheel setuptools pip \
    && useradd --uid 10001 --no-create-home --home-dir /data foyer \
    && install --directory --owner=foyer --group=foyer --mode=0700 /data
WORKDIR /app
COPY --from=libraries /venv /venv
COPY . .
RUN python -m compileall -q .
USER 10001:10001
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; desk = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); desk.request('GET', '/health'); sys.exit(desk.getresponse().status != 200)"]
CMD ["gunicorn", "app:app"]
