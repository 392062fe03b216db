"""A stand-in for the package `spaces` that holds an app to the rules of a Space with shared GPUs.

There, a function under `spaces.GPU` runs in a process forked from the app's. So here it does too, and every call is
checked:

- what goes in and what comes out can be pickled, and holds no tensor on a device and no module;
- it changes no plain global of the app's modules, no environment variable and not the folder worked in, since all
  that would be lost with the process;
- of an error raised in there only the class arrives, unless it is a gr.Error;
- the seconds declared are a number, and not too many;
- functions are decorated while the app is imported, not later.

A violation is raised where the function is called. With SPACE_REPORT naming a file, a line of JSON about each call
is added to it.
"""

import functools
import gc
import hashlib
import inspect
import io
import json
import multiprocessing
import os
import pickle
import sys
import threading
import traceback

LONGEST = 120  # seconds that visitors may ask for at once
WATCHED = ("app", "__main__", "stylemask_demo")
LIBRARIES = ("TORCH",)  # beginnings of environment variables that libraries set for themselves
PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset)

_context = multiprocessing.get_context("fork")
_inside = False
_decorated_in = threading.main_thread()


class Violation(Exception):
    """A rule of shared GPUs was broken."""


def gradio_auto_wrap(task):
    """Return the function as it is; Gradio asks for this."""
    return task


def GPU(task=None, *, duration=60, size=None):
    """Decorate a function, or generator function, so that it runs as on a Space with shared GPUs."""
    if task is None:
        return functools.partial(GPU, duration=duration, size=size)
    if threading.current_thread() is not _decorated_in or _inside:
        raise Violation(f"{task.__name__} is decorated while the app runs, and not while it is imported")
    if inspect.isgeneratorfunction(task):

        @functools.wraps(task)
        def stream(*arguments):
            if _inside:
                yield from task(*arguments)
            else:
                yield from _call(task, duration, arguments)

        return stream

    @functools.wraps(task)
    def call(*arguments):
        if _inside:
            return task(*arguments)
        (result,) = _call(task, duration, arguments)
        return result

    return call


def _call(task, duration, arguments):
    """Run a function in a process of its own and yield what it returns, or yields."""
    seconds = duration(*arguments) if callable(duration) else duration
    if not 0 < float(seconds) <= LONGEST:
        raise Violation(f"{task.__name__} asks for {seconds} seconds; {LONGEST} is the most")
    sent = _pickled(arguments, f"an argument of {task.__name__}")
    here, there = _context.Pipe()
    worker = _context.Process(target=_work, args=(task, sent, there, here), daemon=True)
    worker.start()
    there.close()
    report = {"function": task.__name__, "seconds": float(seconds), "sent": len(sent), "received": 0, "results": 0}
    try:
        while True:
            try:
                kind, content = here.recv()
            except EOFError:
                raise Violation(f"the process of {task.__name__} ended without a result") from None
            if kind == "result":
                report["received"] += len(content)
                report["results"] += 1
                yield pickle.loads(content)
                here.send("next")
            elif kind == "violation":
                report["violation"] = content
                raise Violation(content)
            elif kind == "error":
                raise _arrived(*content)
            else:
                report["process"] = content
                return
    finally:
        here.close()
        worker.join(30)
        _tell(report)


def _work(task, sent, there, here):
    global _inside
    _inside = True
    gc.freeze()  # what the app has left behind is not freed here: a decoder would wait for threads that it left there
    here.close()
    try:
        before = _fingerprints()
        made = task(*pickle.loads(sent))
        for result in made if inspect.isgenerator(made) else [made]:
            there.send(("result", _pickled(result, f"a result of {task.__name__}")))
            try:
                there.recv()
            except EOFError:  # the reader has left
                made.close()
                return
        changed = sorted(name for name, print_ in _fingerprints().items() if before.get(name) != print_)
        if changed:
            raise Violation(f"{task.__name__} changes {', '.join(changed)}, which is lost with its process")
        there.send(("end", os.getpid()))
    except Violation as violation:
        there.send(("violation", str(violation)))
    except Exception as error:
        import gradio

        traceback.print_exc()
        message = str(error) if isinstance(error, gradio.Error) else None
        there.send(("error", (type(error).__name__, message)))
    finally:
        there.close()
        sys.stdout.flush()
        sys.stderr.flush()


def _arrived(name, message):
    import gradio

    return gradio.Error(message) if message is not None else gradio.Error(name, title="ZeroGPU worker error")


class _Checked(pickle.Pickler):
    """Pickles what may cross: plain data, and nothing that lives on a device."""

    def persistent_id(self, thing):
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(thing, torch.nn.Module):
            raise Violation(f"a {type(thing).__name__}, which is a module")
        if torch is not None and isinstance(thing, torch.Tensor) and thing.device.type != "cpu":
            raise Violation(f"a tensor on {thing.device}")
        return None


def _pickled(thing, what):
    buffer = io.BytesIO()
    try:
        _Checked(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(thing)
    except Violation as violation:
        raise Violation(f"{what} holds {violation}") from None
    except Exception as error:
        raise Violation(f"{what} cannot be pickled ({error})") from None
    return buffer.getvalue()


def _fingerprints():
    """Return a hash of each plain global of the modules watched, and of the process's surroundings."""
    things = {f"os.environ[{name!r}]": value for name, value in os.environ.items() if not name.startswith(LIBRARIES)}
    things["the folder worked in"] = os.getcwd()
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in WATCHED:
            for key, value in vars(module).items():
                if not key.startswith("__") and isinstance(value, PLAIN):
                    things[f"{name}.{key}"] = value
    return {name: hashlib.sha256(repr(value).encode()).hexdigest() for name, value in things.items()}


def _tell(report):
    path = os.environ.get("SPACE_REPORT")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(report) + "\n")
