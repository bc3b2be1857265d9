"""Stateful, model-based tests for systems that keep conversations: all that users import."""

from .bounds import bounded
from .clock import VirtualClock
from .driver import Driver, DriverError
from .failure import Disagreement, Property
from .goal import sometimes
from .handle import Handle
from .known import Known
from .model import Census, Model, operation
from .operation import Operation
from .outcome import LATER, Ok, Outcome, Refuse, Refused, Unknown, Unpredictable
from .pool import Now, Pool, pool
from .rule import rule
from .scenario import Scenario

__all__ = [
    "LATER",
    "Census",
    "Disagreement",
    "Driver",
    "DriverError",
    "Handle",
    "Known",
    "Model",
    "Now",
    "Ok",
    "Operation",
    "Outcome",
    "Pool",
    "Property",
    "Refuse",
    "Refused",
    "Scenario",
    "Unknown",
    "Unpredictable",
    "VirtualClock",
    "bounded",
    "operation",
    "pool",
    "rule",
    "sometimes",
]
