"""Runs learner code inside the sandbox and answers on the control socket. What it answers is a claim, no more.

A task has `file`, `function`, `args`, `outputs` and `folders`: for the place of an argument, a folder's texts by path.
"""

import contextlib
import gc
import importlib.util
import json
import os
import sys
import tempfile
import traceback

import boto3  # noqa: F401 (all of it needs this: here it is loaded while nobody waits yet)
from kata_channel import Channel

_FRAMES = 8


def main(control):
    sys.dont_write_bytecode = True
    folder = os.getcwd()
    sys.path.insert(0, folder)
    settings = json.loads(sys.argv[1])
    channel = Channel(control)
    _make_clients(json.loads(sys.argv[2]), settings, folder)
    gc.freeze()  # the models of services stay: looking through them again and again would cost every call
    while True:
        _, body = channel.receive()
        channel.send(json.dumps(_answer(json.loads(body), settings, folder)).encode(), op="done")


def _make_clients(services, settings, folder):
    """Have the clients ready that were used the last time; whatever is wrong with one shows when it is asked for."""
    from kata_lab.lab import Lab

    lab = Lab(folder=folder, **settings)
    for service in services:
        try:
            lab.client(service)
        except Exception:  # noqa: S112
            continue


def _answer(task, settings, folder):
    from kata_lab.lab import Lab

    lab = Lab(folder=folder, **settings)
    lab.outputs.update(task["outputs"])
    try:
        function = getattr(_load(folder, task["file"]), task["function"], None)
        if not callable(function):
            return {"failed": f"{task['file']} has no function {task['function']}", "kind": "", "frames": []}
        with contextlib.ExitStack() as stack:
            args = task["args"]
            for place, files in task["folders"].items():
                args[int(place)] = _folder(stack.enter_context(tempfile.TemporaryDirectory()), files)
            value = function(lab, *args)
        return {"value": json.loads(json.dumps(value)), "outputs": json.loads(json.dumps(lab.outputs))}
    except BaseException as error:
        return {"failed": _text(error), "kind": type(error).__name__, "frames": _frames(error, folder)}


def _folder(root, files):
    for name, text in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return root


def _load(folder, file):
    name = file.removesuffix(".py")
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, os.path.join(folder, file))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


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
