"""Errors on the page: each becomes a message that says what to do, and nothing else changes."""

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar, cast

import gradio as gr

from stylemask_demo import messages
from stylemask_demo.errors import StyleMaskError

F = TypeVar("F", bound=Callable[..., Any])


def explained(function: F) -> F:
    """Return the function, or generator, with every error turned into a message of `messages` that the page shows."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def stream(*arguments: Any) -> Iterator[Any]:
            try:
                with closing(function(*arguments)) as items:
                    yield from items
            except gr.Error:
                raise
            except Exception as error:
                raise _message(error) from error

        return cast(F, stream)

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except gr.Error:
            raise
        except Exception as error:
            raise _message(error) from error

    return cast(F, call)


def unasked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the handler without its messages: what nobody has asked for yet must not complain."""

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except gr.Error:
            return gr.skip()

    return call


def _message(error: Exception) -> gr.Error:
    """What a visitor is told; what only who runs the demo should know goes to the log."""
    if not isinstance(error, StyleMaskError):
        return gr.Error(messages.UNEXPECTED, title="That did not work")
    if error.detail:
        print(f"stylemask_demo: {error.detail}", file=sys.stderr)
    return gr.Error(error.message, title="That did not work", print_exception=False)
