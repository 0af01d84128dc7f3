"""Which fields each type of state has.

https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html and the page of each state.
"""

from __future__ import annotations

COMMON = {"Type", "Comment", "QueryLanguage"}
PATHS = {"InputPath", "OutputPath"}  # JSONPath only, as are all that end with Path
_FOLLOWED = {"Next", "End"}
_WORK = {"Retry", "Catch", "Parameters", "ResultSelector", "ResultPath"}
JSONPATH_ONLY = {"InputPath", "OutputPath", "Parameters", "ResultSelector", "ResultPath", "Result", "ItemsPath"}
JSONATA_ONLY = {"Arguments", "Output", "Items"}

ALLOWED = {
    "Pass": COMMON | PATHS | _FOLLOWED | {"Result", "ResultPath", "Parameters", "ResultSelector", "Assign", "Output"},
    "Task": COMMON
    | PATHS
    | _FOLLOWED
    | _WORK
    | {"Resource", "Credentials", "TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"}
    | {"Assign", "Arguments", "Output"},
    "Choice": COMMON | PATHS | {"Choices", "Default", "Assign", "Output"},
    "Wait": COMMON | PATHS | _FOLLOWED | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath", "Assign", "Output"},
    "Succeed": COMMON | PATHS | {"Output"},
    "Fail": COMMON | {"Error", "ErrorPath", "Cause", "CausePath"},
    "Parallel": COMMON | PATHS | _FOLLOWED | _WORK | {"Branches", "Assign", "Arguments", "Output"},
    "Map": COMMON
    | PATHS
    | _FOLLOWED
    | _WORK
    | {"ItemProcessor", "Iterator", "ItemsPath", "Items", "ItemSelector", "ItemReader", "ItemBatcher", "ResultWriter"}
    | {"MaxConcurrency", "MaxConcurrencyPath", "ToleratedFailureCount", "ToleratedFailureCountPath", "Label"}
    | {"ToleratedFailurePercentage", "ToleratedFailurePercentagePath", "Assign", "Output"},
}
REQUIRED = {
    "Task": ("Resource",),
    "Choice": ("Choices",),
    "Parallel": ("Branches",),
}
MACHINE = {"Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"}
PROCESSOR = {"Comment", "StartAt", "States", "ProcessorConfig", "QueryLanguage"}
BRANCH = {"Comment", "StartAt", "States", "QueryLanguage"}
RETRIER = {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds"}
RETRIER |= {"JitterStrategy", "Comment"}
CATCHER = {"ErrorEquals", "Next", "ResultPath", "Assign", "Output", "Comment"}
