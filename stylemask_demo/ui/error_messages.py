"""Errors on the page: what a person can do something about becomes a message, and nothing else changes."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, TypeVar, cast

import gradio as gr

from stylemask_demo.errors import StyleMaskError

F = TypeVar("F", bound=Callable[..., Any])


def explained(function: F) -> F:
    """Return the function, or generator, with a StyleMaskError turned into a message that the page shows."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def stream(*arguments: Any) -> Iterator[Any]:
            try:
                with closing(function(*arguments)) as items:
                    yield from items
            except StyleMaskError as error:
                raise _message(error) from error

        return cast(F, stream)

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except StyleMaskError as error:
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


def _message(error: StyleMaskError) -> gr.Error:
    return gr.Error(str(error), title="That did not work", print_exception=False)
