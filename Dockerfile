# docker build -t stylemask-demo .
# docker run --rm -p 7860:7860 --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     -v stylemask-demo:/home/demo/.cache stylemask-demo
#
# With an NVIDIA GPU, CUDA 13 (or cu126 for older drivers), add --build-arg TORCH=cu130 and --gpus all.
# To build on the very bytes of an image, name its digest: --build-arg BASE=python:3.12.12-slim-bookworm@sha256:...
ARG BASE=python:3.12.12-slim-bookworm
FROM $BASE

ARG TORCH=cpu

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    GRADIO_ANALYTICS_ENABLED=False \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_TEMP_DIR=/tmp/gradio \
    MPLCONFIGDIR=/tmp/matplotlib \
    GRADIO_SERVER_PORT=7860

# The cache is the visitor's own folder: downloaded weights go there, and a volume keeps them.
RUN useradd --create-home --uid 1000 demo && install -d -o demo -g demo /home/demo/.cache
WORKDIR /home/demo/app

# PyTorch's own index has builds for the CPU alone and for each CUDA; the other packages come from the usual one, each file
# with the hash that the lock has. opencv-python needs a desktop's libraries, and the headless build of the same version goes
# over it.
COPY requirements.txt requirements.lock requirements-headless.lock ./
RUN pip install --index-url "https://download.pytorch.org/whl/$TORCH" $(grep -Eo '^torch(vision)?==[^ ]+' requirements.txt) \
    && sed -E '/^(cuda-|nvidia-|torch==|torchvision==|triton==)/,/[^\\]$/d' requirements.lock > /tmp/others.lock \
    && pip install --require-hashes -r /tmp/others.lock \
    && pip install --force-reinstall --no-deps --require-hashes -r requirements-headless.lock \
    && rm /tmp/others.lock

COPY app.py LICENSE NOTICE ./
COPY stylemask_demo stylemask_demo
COPY checkpoints checkpoints
COPY assets/examples assets/examples

USER demo
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['GRADIO_SERVER_PORT'] + '/health', timeout=8)"]
CMD ["python", "app.py"]
