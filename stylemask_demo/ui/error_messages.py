"""Errors on the page: each becomes a message that says what to do, and nothing else changes."""

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, TypeVar, cast

import gradio as gr

from stylemask_demo import messages
from stylemask_demo.errors import StyleMaskError
from stylemask_demo.ui.texts import refusal

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
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except gr.Error:
            raise
        except Exception as error:
            raise _message(error) from error

    return cast(F, call)


def in_card(function: Callable[..., Iterator[Any]], outputs: Sequence[Any], line: Any) -> Callable[..., Iterator[Any]]:
    """Return the explained generator with its messages in a line of its card, where they stay, and not in passing."""

    @functools.wraps(function)
    def stream(*arguments: Any) -> Iterator[Any]:
        try:
            with closing(function(*arguments)) as items:  # type: ignore[type-var]
                yield from items
        except gr.Error as error:
            yield tuple(refusal(error.message) if output is line else gr.skip() for output in outputs)
            raise gr.Error(error.message, visible=False, print_exception=False) from error

    return stream


def _message(error: Exception) -> gr.Error:
    """What a visitor is told; what only who runs the demo should know goes to the log."""
    if not isinstance(error, StyleMaskError):
        return gr.Error(messages.UNEXPECTED, title="That did not work", duration=None)
    if error.detail:
        print(f"stylemask_demo: {error.detail}", file=sys.stderr)
    return gr.Error(error.message, title="That did not work", duration=None, print_exception=False)
