"""Runs deploy.py inside the sandbox and reports on the control socket. What it reports is a claim, no more."""

import importlib.util
import json
import os
import socket
import sys
import traceback

_FRAMES = 8


def main(control):
    sys.dont_write_bytecode = True
    task = json.loads(sys.argv[1])
    folder = os.getcwd()
    sys.path.insert(0, folder)
    with socket.socket(fileno=control) as channel:
        channel.sendall(json.dumps(_run(task, folder)).encode())


def _run(task, folder):
    from kata_lab.lab import Lab

    lab = Lab(folder=folder, **task["lab"])
    try:
        deploy = _load(folder)
        if not callable(deploy):
            return {"failed": "deploy.py has no function deploy(lab)", "frames": []}
        deploy(lab)
        return {"outputs": json.loads(json.dumps(lab.outputs))}
    except BaseException as error:
        return {"failed": _text(error), "frames": _frames(error, folder)}


def _load(folder):
    path = os.path.join(folder, "deploy.py")
    spec = importlib.util.spec_from_file_location("deploy", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["deploy"] = module
    spec.loader.exec_module(module)
    return getattr(module, "deploy", None)


def _text(error):
    text = "".join(traceback.format_exception_only(error)).strip()
    return text[:2000]


def _frames(error, folder):
    """The learner's own frames, innermost last, as (file, line, source)."""
    found = []
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(folder + "/"):
            found.append([frame.filename[len(folder) + 1 :], frame.lineno, frame.line or ""])
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(folder + "/"):
        found.append([error.filename[len(folder) + 1 :], error.lineno or 0, (error.text or "").rstrip()])
    return found[-_FRAMES:]
