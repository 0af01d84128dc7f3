"""Runs programs that are not trusted: learner code and function code, each in namespaces of its own."""
