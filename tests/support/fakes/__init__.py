"""Fakes of services that tests can't reach, made from what their makers publish: stateful, each on a port of its own."""
