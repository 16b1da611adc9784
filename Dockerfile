# docker run --rm -p 8080:8080 video-emulator
# docker run --rm -p 8080:8080 -v ./my-scenarios:/scenarios:ro video-emulator serve --scenario my-story

ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# The base image's pip installs into the environment from outside, so pip itself is not in it.
RUN python -m venv --without-pip /opt/video-emulator
COPY requirements.lock ./
RUN pip --python /opt/video-emulator install --requirement requirements.lock
COPY LICENSE README.md pyproject.toml ./
COPY emulator emulator
COPY scenarios scenarios
RUN pip --python /opt/video-emulator install --no-deps .
# Compiled ahead, since nothing can be written at run time, and never compared with the source.
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/video-emulator/lib

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="video-emulator" \
      org.opencontainers.image.description="Stands in for four documented video-task APIs, driven by YAML scenario files." \
      org.opencontainers.image.licenses="MIT"
# The official image carries the standard library without compiled files: each start would compile it.
RUN python -m compileall -q --invalidation-mode unchecked-hash \
      -x '/(ensurepip|idlelib|site-packages|test|tkinter|turtledemo)/' "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && mkdir /scenarios
COPY --from=build /opt/video-emulator /opt/video-emulator
# /scenarios: where one's own files are mounted. Empty or missing, there are the shipped ones alone.
ENV PATH=/opt/video-emulator/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    VIDEO_EMULATOR_HOST=0.0.0.0 \
    VIDEO_EMULATOR_SCENARIOS=/scenarios
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["video-emulator", "health"]
ENTRYPOINT ["video-emulator"]
CMD ["serve"]
